"""Bringing pictures to the hub, both ways of HUB_API section 7: the documented one, and the vendor's own client's."""

from __future__ import annotations

import time
import uuid
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from .hub import USER, Hub
from .repos import BadPath, safe_path
from .responses import invalid, not_found, refused

__all__ = ["create", "me", "presigned", "put", "show", "to_context"]

_PRESIGNED_FOR = 3600


async def me(request: Request) -> Response:
    """`GET /api/users/me`."""
    del request
    return JSONResponse({"user": {"username": USER, "name": "Local Hub", "email": "local@localhost"}})


async def create(request: Request) -> Response:
    """`POST /api/repos`: 409 when it exists."""
    hub: Hub = request.app.state.hub
    try:
        body: Any = await request.json()
        name, namespace = str(body["name"]), str(body.get("namespace") or USER)
        public = body.get("visibility", "public") != "private" and body.get("is_public", True)
        made = hub.repos.create(namespace, name, visibility="public" if public else "private")
    except (ValueError, KeyError, AttributeError, TypeError) as exc:
        return invalid(f"A repository needs a legal name: {exc}")
    if not made:
        return refused(409, "resource_already_exists", "A repository of that name exists.")
    return JSONResponse(_shown(hub, namespace, name, "resource_created"), 201)


async def show(request: Request) -> Response:
    """`GET /api/repos/{ns}/{repo}`: 404 when there is none."""
    hub: Hub = request.app.state.hub
    where = request.path_params
    if hub.repos.get(where["namespace"], where["repo"]) is None:
        return not_found()
    return JSONResponse(_shown(hub, where["namespace"], where["repo"], "resource_found"))


async def put(request: Request) -> Response:
    """`PUT /api/repos/{ns}/{repo}/file/{branch}/{path}`: multipart `file`, `message`, `name`, `email`.

    Whether the path is the file's or its folder's is told by its last piece: a name with a suffix is a file.
    """
    where = request.path_params
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return invalid("The multipart field 'file' is required.")
        folder, _, last = where["path"].rpartition("/")
        name = last if "." in last else file.filename or "file"
        folder = folder if "." in last else where["path"]
        return await _kept(request, f"{folder}/{_plain(name)}", file, str(form.get("message") or f"Add {name}"))


async def to_context(request: Request) -> Response:
    """`POST /api/repos/{ns}/{repo}/workbench/context`: multipart `file`, `directory`."""
    async with request.form() as form:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            return invalid("The multipart field 'file' is required.")
        number = str(uuid.uuid4())
        path = f"{form.get('directory') or 'context'}/{number}-{_plain(file.filename or 'file')}"
        answer = await _kept(request, path, file, "")
        if answer.status_code >= 400:
            return answer
        return JSONResponse({"status": "success", "asset_path": safe_path(path).as_posix(), "uuid": number})


async def presigned(request: Request) -> Response:
    """`GET /api/repos/{ns}/{repo}/file/presigned_url/{branch}/{path}`: an address that needs no key for an hour."""
    hub: Hub = request.app.state.hub
    where = request.path_params
    if hub.repos.find(where["namespace"], where["repo"], where["path"]) is None:
        return not_found()
    path = f"/api/repos/{where['namespace']}/{where['repo']}/file/{where['branch']}/{where['path']}"
    return JSONResponse({"url": hub.base + hub.signer.signed(path, int(time.time()) + _PRESIGNED_FOR)})


async def _kept(request: Request, path: str, file: UploadFile, message: str) -> Response:
    hub: Hub = request.app.state.hub
    where = request.path_params
    if hub.repos.get(where["namespace"], where["repo"]) is None:
        return not_found()
    try:
        hub.repos.write(where["namespace"], where["repo"], path, await file.read())
    except BadPath as exc:
        return invalid(str(exc))
    commit = {"id": uuid.uuid4().hex, "message": message}
    return JSONResponse({"status": "success", "status_message": "resource_created", "commit": commit}, 201)


def _plain(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2]


def _shown(hub: Hub, namespace: str, name: str, message: str) -> dict[str, Any]:
    return {"status": "success", "status_message": message, "repository": hub.repos.get(namespace, name)}
