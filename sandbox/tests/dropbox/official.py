"""What a mirror does, done by the official client. Arguments: CA file, app key, refresh token."""
import datetime
import hashlib
import sys

import dropbox
from dropbox import files
from dropbox.exceptions import ApiError, AuthError

CA, KEY, REFRESH = sys.argv[1:]
BLOCK = 4 * 1024 * 1024


def content_hash(data):
    blocks = (data[at : at + BLOCK] for at in range(0, len(data), BLOCK))
    digests = b"".join(hashlib.sha256(block).digest() for block in blocks)
    return hashlib.sha256(digests).hexdigest()


dbx = dropbox.Dropbox(oauth2_refresh_token=REFRESH, app_key=KEY, ca_certs=CA)
account = dbx.users_get_current_account()
assert account.root_info.root_namespace_id == account.root_info.home_namespace_id

# One call, a non-ASCII name, a date.
when = datetime.datetime(2024, 5, 1, 12, 30, 0)
file = dbx.files_upload(b"hello", "/2024/Zürich.jpg", client_modified=when, mute=True)
assert (file.size, file.content_hash) == (5, content_hash(b"hello"))
assert file.client_modified.replace(tzinfo=None) == when
try:
    dbx.files_upload(b"other", "/2024/zürich.jpg")
    raise SystemExit("the conflict was not told")
except ApiError as error:
    assert error.error.is_path() and error.error.get_path().reason.get_conflict().is_file()
again = dbx.files_upload(b"other", "/2024/zürich.jpg", mode=files.WriteMode.update(file.rev))

# A sequential session.
session = dbx.files_upload_session_start(b"one").session_id
cursor = files.UploadSessionCursor(session, 3)
dbx.files_upload_session_append_v2(b"two", cursor)
try:
    dbx.files_upload_session_append_v2(b"two", cursor)
    raise SystemExit("the offset was not told")
except ApiError as error:
    assert error.error.get_incorrect_offset().correct_offset == 6
done = dbx.files_upload_session_finish(
    b"", files.UploadSessionCursor(session, 6), files.CommitInfo("/2024/session")
)
assert done.content_hash == content_hash(b"onetwo")

# A concurrent session, last block first.
big = bytes(range(256)) * (2 * BLOCK // 256) + b"end"
kind = files.UploadSessionType.concurrent
session = dbx.files_upload_session_start(b"", session_type=kind).session_id
for at in (BLOCK, 0):
    cursor = files.UploadSessionCursor(session, at)
    dbx.files_upload_session_append_v2(big[at : at + BLOCK], cursor)
cursor = files.UploadSessionCursor(session, 2 * BLOCK)
dbx.files_upload_session_append_v2(b"end", cursor, close=True)
cursor = files.UploadSessionCursor(session, len(big))
done = dbx.files_upload_session_finish(b"", cursor, files.CommitInfo("/big"))
assert done.content_hash == content_hash(big)

# Many small files.
ids = dbx.files_upload_session_start_batch(3).session_ids
entries = [
    files.UploadSessionAppendBatchArgEntry(files.UploadSessionCursor(id, 0), 2, True) for id in ids
]
result = dbx.files_upload_session_append_batch(b"aabbcc", entries)
assert all(entry.is_success() for entry in result.entries)
finish = [
    files.UploadSessionFinishArg(files.UploadSessionCursor(id, 2), files.CommitInfo(f"/small/{at}"))
    for at, id in enumerate(ids)
]
result = dbx.files_upload_session_finish_batch_v2(finish)
assert [entry.get_success().content_hash for entry in result.entries] == [
    content_hash(data) for data in (b"aa", b"bb", b"cc")
]
result = dbx.files_upload_session_finish_batch_v2(finish[:1])
assert result.entries[0].get_failure().get_lookup_failed().is_not_found()

# Listing, page by page, and what changes.
page = dbx.files_list_folder("", recursive=True, limit=3)
names = [entry.path_display for entry in page.entries]
while page.has_more:
    page = dbx.files_list_folder_continue(page.cursor)
    names += [entry.path_display for entry in page.entries]
assert sorted(names) == sorted(
    ["/2024", "/2024/Zürich.jpg", "/2024/session", "/big", "/small"]
    + [f"/small/{at}" for at in range(3)]
)

# Downloads, whole and by rev.
metadata, answer = dbx.files_download("/2024/Zürich.jpg")
assert answer.content == b"other" and metadata.rev == again.rev
metadata, answer = dbx.files_download("rev:" + file.rev)
assert answer.content == b"hello" and metadata.content_hash == file.content_hash
revisions = dbx.files_list_revisions("/2024/Zürich.jpg").entries
assert [entry.rev for entry in revisions] == [again.rev, file.rev]

# Moves, copies, deletes.
moves = [files.RelocationPath("/small", "/moved"), files.RelocationPath("/none", "/x")]
result = dbx.files_move_batch_v2(moves).get_complete()
assert result.entries[0].get_success().path_display == "/moved"
assert result.entries[1].get_failure().get_relocation_error().get_from_lookup().is_not_found()
assert dbx.files_copy_v2("/moved/0", "/copied").metadata.content_hash == content_hash(b"aa")
assert dbx.files_create_folder_v2("/empty").metadata.name == "empty"
job = dbx.files_delete_batch([files.DeleteArg("/moved"), files.DeleteArg("/none")])
result = dbx.files_delete_batch_check(job.get_async_job_id()).get_complete()
assert result.entries[0].get_success().metadata.path_display == "/moved"
assert result.entries[1].get_failure().get_path_lookup().is_not_found()
assert isinstance(dbx.files_delete_v2("/copied").metadata, files.FileMetadata)
changes = dbx.files_list_folder_continue(page.cursor).entries
assert "/moved" in [entry.path_display for entry in changes]
assert dbx.files_list_folder_longpoll(page.cursor).changes
rev = dbx.files_list_revisions("/copied").entries[0].rev
assert dbx.files_restore("/copied", rev).size == 2

# Space, the team's words for a stale root, the end of the sign-in.
space = dbx.users_get_space_usage()
assert space.used == 5 + 6 + len(big) + 2 and space.allocation.is_individual()
try:
    dbx.with_path_root(dropbox.common.PathRoot.root("5")).files_list_folder("")
    raise SystemExit("the stale root was not told")
except dropbox.exceptions.PathRootError as error:
    assert error.error.is_invalid_root()
dbx.refresh_access_token()
dbx.auth_token_revoke()
try:
    dbx.users_get_space_usage()
    raise SystemExit("the end of the sign-in was not told")
except AuthError as error:
    assert error.error.is_invalid_access_token()
print("all well")
