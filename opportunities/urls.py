"""Addresses of boards, deals, accounts and contacts."""

from django.urls import path

from opportunities.views import board, moves

app_name = "opportunities"
urlpatterns = [
    path("board/", board.board, name="board"),
    path("board/<slug:key>/", board.board, name="board"),
    path("board/<slug:key>/changes/", board.changes, name="changes"),
    path("board/<slug:key>/stages/<int:stage>/", board.column, name="column"),
    path("deals/", board.board, name="list"),
    path("deals/new/", board.board, name="new"),
    path("deals/<int:pk>/", board.board, name="detail"),
    path("deals/<int:pk>/move/", moves.move, name="move"),
    path("deals/<int:pk>/moves/<int:change>/undo/", moves.undo, name="undo"),
]
