"""The routes under `/api/repos`: uploads, and downloads with the faults that can interrupt them.

Paths come from the scope, because `request.url.path` ends at a `#` or `?` in a file name.
"""

from __future__ import annotations

import time
import uuid
from typing import Any
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from .hub import USER, Hub
from .media import MediaResponse, clip_response
from .repos import PathError, safe_path
from .responses import Rejection, error_response

_PRESIGNED_SECONDS = 3600


async def me(hub: Hub, request: Request) -> Response:
    """`GET /api/users/me`."""
    return JSONResponse({"user": {"username": USER, "name": "Local Hub", "email": "local@localhost"}})


async def create(hub: Hub, request: Request) -> Response:
    """`POST /api/repos`."""
    try:
        body: Any = await request.json()
        name, namespace = str(body["name"]), str(body.get("namespace") or USER)
        public = body.get("visibility", "public") != "private" and body.get("is_public", True)
        created = hub.repos.create(namespace, name, visibility="public" if public else "private")
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        return error_response("invalid_params", f"A repository needs a valid name: {exc}")
    if not created:
        return error_response("resource_already_exists")
    return _repository(hub, namespace, name, "resource_created", 201)


async def show(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}`."""
    params = request.path_params
    return _repository(hub, params["namespace"], params["repo"], "resource_found", 200)


def _repository(hub: Hub, namespace: str, name: str, message: str, status: int) -> Response:
    if (repository := hub.repos.get(namespace, name)) is None:
        return error_response("resource_not_found")
    return JSONResponse({"status": "success", "status_message": message, "repository": repository}, status)


async def put(hub: Hub, request: Request) -> Response:
    """`PUT /api/repos/{namespace}/{repo}/file/{branch}/{path}`.

    The path is that of the file if its last part has a suffix, else that of its folder.
    """
    path = request.path_params["path"]
    async with request.form() as form:
        file = form.get("file")
        folder, _, last = path.rpartition("/")
        name = last if "." in last else getattr(file, "filename", None) or "file"
        await _save(hub, request, file, f"{folder if '.' in last else path}/{_base_name(name)}")
        commit = {"id": uuid.uuid4().hex, "message": str(form.get("message") or f"Add {name}")}
        return JSONResponse({"status": "success", "status_message": "resource_created", "commit": commit})


async def to_context(hub: Hub, request: Request) -> Response:
    """`POST /api/repos/{namespace}/{repo}/workbench/context`."""
    async with request.form() as form:
        file = form.get("file")
        file_id = str(uuid.uuid4())
        name = _base_name(getattr(file, "filename", None) or "file")
        path = f"{form.get('directory') or 'context'}/{file_id}-{name}"
        await _save(hub, request, file, path)
        return JSONResponse({"status": "success", "asset_path": safe_path(path).as_posix(), "uuid": file_id})


async def _save(hub: Hub, request: Request, file: UploadFile | str | None, path: str) -> None:
    namespace, repo = request.path_params["namespace"], request.path_params["repo"]
    if not isinstance(file, UploadFile):
        raise Rejection(error_response("invalid_params", "The multipart field 'file' is required."))
    if hub.repos.get(namespace, repo) is None:
        raise Rejection(error_response("resource_not_found"))
    try:
        hub.repos.write(namespace, repo, path, await file.read())
    except PathError as exc:
        raise Rejection(error_response("invalid_params", str(exc))) from exc


def _base_name(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


async def presigned(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}/file/presigned_url/{branch}/{path}`."""
    params = request.path_params
    if hub.repos.find(params["namespace"], params["repo"], params["path"]) is None:
        return error_response("resource_not_found")
    path = f"/api/repos/{params['namespace']}/{params['repo']}/file/{params['branch']}/{params['path']}"
    return JSONResponse({"url": hub.base_url + hub.signer.sign(path, int(time.time()) + _PRESIGNED_SECONDS)})


async def repo_file(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}/file/{branch}/{path}`."""
    params = request.path_params
    _check_access(hub, request)
    path = hub.repos.find(params["namespace"], params["repo"], params["path"])
    if path is None:
        return error_response("resource_not_found")
    return MediaResponse(path, hub.faults.take(request, "interrupted_download", "slow_download"))


async def result(hub: Hub, request: Request) -> Response:
    """`GET /api/repos/{namespace}/{repo}/workspaces/{job_id}/files/{path}`."""
    job_id = request.path_params["job_id"]
    path = hub.result_file(job_id)
    if path is None:
        return error_response("resource_not_found")
    _check_access(hub, request)
    # This fault affects the URLs handed out so far; reading the record returns a new one.
    if hub.faults.take(request, "expired_url") is not None and job_id not in hub.renewed:
        hub.expired.add(job_id)
        return error_response("forbidden")
    if hub.faults.take(request, "redirect_result") is not None:
        query = request.scope["query_string"].decode("ascii")
        return RedirectResponse(f"{hub.other_origin}{quote(request.scope['path'])}?{query}", 302)
    return clip_response(path, hub.faults, request)


def _check_access(hub: Hub, request: Request) -> None:
    has_key = hub.accepts_key_of(request.headers)
    status = hub.access_error(request.scope["path"], request.query_params, has_key=has_key)
    if status is not None:
        raise Rejection(error_response("unauthenticated" if status == 401 else "forbidden"))


def at_other_origin(hub: Hub, request: Request) -> Response:
    """Return a result at the second address of the hub, which counts the keys that a client must not send to it."""
    hub.other_origin_requests += 1
    hub.other_origin_keys += "authorization" in request.headers
    path = hub.result_file((request.scope["path"].split("/") + [""] * 6)[6])
    return MediaResponse(path) if path is not None else Response(status_code=404)
