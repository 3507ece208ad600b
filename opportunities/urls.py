"""Addresses of boards, deals, accounts and contacts."""

from django.urls import path, re_path

from opportunities.views import (
    accounts,
    actions,
    board,
    contacts,
    conversation,
    deal,
    editing,
    files,
    listing,
    moves,
    saved,
)

app_name = "opportunities"

_boards = [
    path("board/", board.board, name="board"),
    path("board/<slug:key>/", board.board, name="board"),
    path("board/<slug:key>/changes/", board.changes, name="changes"),
    path("board/<slug:key>/stages/<int:stage>/", board.column, name="column"),
]
_lists = [
    path("deals/", listing.deal_list, name="list"),
    re_path(r"^deals/export\.(?P<kind>csv|xlsx)$", listing.export, name="export"),
    path("deals/change/", listing.bulk, name="bulk"),
    path("deals/change/form/", listing.bulk_form, name="bulk_form"),
    path("deals/views/new/", saved.new, name="view_new"),
    path("deals/views/<int:pk>/", saved.change, name="view_change"),
    path("deals/views/<int:pk>/delete/", saved.delete, name="view_delete"),
    path("deals/new/", editing.new, name="new"),
]
_deals = [
    path("deals/<int:pk>/", deal.detail, name="detail"),
    path("deals/<int:pk>/parts/<slug:name>/", deal.section, name="section"),
    path("deals/<int:pk>/edit/", editing.edit, name="edit"),
    path("deals/<int:pk>/edit/<slug:group>/", editing.edit, name="edit"),
    path("deals/<int:pk>/move/", moves.move, name="move"),
    path("deals/<int:pk>/moves/<int:change>/undo/", moves.undo, name="undo"),
    path("deals/<int:pk>/temperature/", actions.temperature, name="temperature"),
    path("deals/<int:pk>/snooze/", actions.snooze, name="snooze"),
    path("deals/<int:pk>/lose/", actions.lose, name="lose"),
    path("deals/<int:pk>/reopen/", actions.reopen, name="reopen"),
    path("deals/<int:pk>/archive/", actions.archive, name="archive"),
    path("deals/<int:pk>/archived/", actions.archived, name="archived"),
    path("deals/<int:pk>/restore/", actions.restore, name="restore"),
    path("deals/<int:pk>/comments/", conversation.add, name="comment"),
    path("deals/<int:pk>/comments/<int:comment>/", conversation.edit, name="comment_edit"),
    path("deals/<int:pk>/comments/<int:comment>/remove/", conversation.remove, name="comment_remove"),
    path("deals/<int:pk>/comments/<int:comment>/restore/", conversation.restore, name="comment_restore"),
    path("deals/<int:pk>/people/", conversation.people, name="people"),
    path("deals/<int:pk>/files/", files.add, name="file_add"),
    path("deals/<int:pk>/files/<int:file>/", files.download, name="file"),
    path("deals/<int:pk>/files/<int:file>/remove/", files.remove, name="file_remove"),
    path("deals/<int:pk>/files/<int:file>/restore/", files.restore, name="file_restore"),
    path("deals/<int:pk>/contacts/", contacts.link, name="contact_link"),
    path("deals/<int:pk>/contacts/new/", contacts.new_on_deal, name="contact_new_on_deal"),
    path("deals/<int:pk>/contacts/<int:contact>/unlink/", contacts.unlink, name="contact_unlink"),
    path("deals/<int:pk>/contacts/<int:contact>/relink/", contacts.relink, name="contact_relink"),
]
_accounts = [
    path("accounts/", accounts.account_list, name="accounts"),
    path("accounts/new/", accounts.new, name="account_new"),
    path("accounts/names/", accounts.names, name="account_names"),
    path("accounts/<int:pk>/", accounts.account, name="account"),
    path("accounts/<int:pk>/edit/", accounts.edit, name="account_edit"),
    path("accounts/<int:pk>/contacts/new/", contacts.new, name="contact_new"),
    path("contacts/<int:pk>/", contacts.edit, name="contact"),
]
urlpatterns = [*_boards, *_lists, *_deals, *_accounts]
