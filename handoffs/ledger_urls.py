"""Where promises, risks and exposure are reached."""

from django.urls import path

from handoffs.views import commitments, exposure, risks

urlpatterns = [
    path("deals/<int:pk>/commitments/", commitments.panel, name="commitment_panel"),
    path("deals/<int:pk>/commitments/add/", commitments.add, name="add_commitment"),
    path("commitments/<int:pk>/change/", commitments.change, name="change_commitment"),
    path("commitments/<int:pk>/stance/", commitments.stance, name="commitment_stance"),
    path("commitments/<int:pk>/settle/", commitments.settle, name="settle_commitment"),
    path("commitments/<int:pk>/withdraw/", commitments.withdraw, name="withdraw_commitment"),
    path("commitments/<int:pk>/restore/", commitments.restore, name="restore_commitment"),
    path("deals/<int:pk>/risks/", risks.panel, name="risk_panel"),
    path("deals/<int:pk>/risks/add/", risks.add, name="add_risk"),
    path("risks/<int:pk>/change/", risks.change, name="change_risk"),
    path("risks/<int:pk>/close/", risks.close, name="close_risk"),
    path("risks/<int:pk>/reopen/", risks.reopen, name="reopen_risk"),
    path("deals/<int:pk>/risk-profiles/propose/", risks.propose, name="propose_profile"),
    path("risk-profiles/<int:pk>/", risks.profile, name="risk_profile"),
    path("risk-profiles/<int:pk>/agree/", risks.agree, name="agree_profile"),
    path("deals/<int:pk>/exposure/", exposure.panel, name="exposure_panel"),
]
