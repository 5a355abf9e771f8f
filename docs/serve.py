"""Serves a student over HTTP, with neither TensorFlow nor this project.

pip install starlette uvicorn onnxruntime pillow
orc-keras export --run=runs/digits --formats=onnx
STUDENT=runs/digits/student python docs/serve.py
curl --data-binary @photo.png http://127.0.0.1:8000/predict
"""

import asyncio
import io
import os
import sys

import anyio
import onnxruntime
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse
from starlette.routing import Route

MOST_BYTES = 20_000_000  # of a body
MOST_SECONDS = 20  # until it has come
at_once = anyio.CapacityLimiter(2)  # images in memory, decoded; others wait

PORT = os.environ.get("PORT", "8000")
if PORT not in map(str, range(1, 2**16)):
    sys.exit(f"PORT={PORT} must be a number from 1 to {2**16 - 1}.")
STUDENT = os.environ.get("STUDENT", "").rstrip("/")  # the directory, beside which is <this>.onnx
FILES = [f"{STUDENT}/{name}" for name in ("photo.py", "preprocessing.json", "class_names.txt")]
for path in (*FILES, f"{STUDENT}.onnx"):
    if not os.path.isfile(path):
        sys.exit(f"STUDENT={STUDENT} must be an exported student's directory: {path} is missing.")
sys.path.insert(0, STUDENT)
from photo import to_images  # noqa: E402  (the student's own)

session = onnxruntime.InferenceSession(f"{STUDENT}.onnx", providers=["CPUExecutionProvider"])
with open(f"{STUDENT}/class_names.txt", encoding="utf-8") as file:
    class_names = file.read().splitlines()


async def predict(request):
    body = bytearray()
    try:
        async with asyncio.timeout(MOST_SECONDS):
            async for part in request.stream():
                body += part
                if len(body) > MOST_BYTES:
                    return refusal(413, f"More than {MOST_BYTES:,} bytes.")
        return JSONResponse(await anyio.to_thread.run_sync(classified, body, limiter=at_once))
    except TimeoutError:
        return refusal(408, f"The image has not come within {MOST_SECONDS} seconds.")
    except (ClientDisconnect, asyncio.CancelledError):  # who sent it has gone, or the server ends
        return refusal(503, "The image has not come in time.")
    except (OSError, ValueError):
        return refusal(415, "This is not an undamaged PNG, JPEG, BMP or WebP, or it is too large.")


def refusal(status, sentence):
    return JSONResponse({"error": sentence}, status, {"Connection": "close"})


def classified(encoded):
    """Returns the most probable class, and the probability of each."""
    (probabilities,) = session.run(["probabilities"], {"images": to_images(io.BytesIO(encoded))})
    by_name = dict(zip(class_names, probabilities[0].tolist()))
    return {"class": max(by_name, key=by_name.get), "probabilities": by_name}


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
if __name__ == "__main__":  # Ctrl-C waits a second for the answers that are under way
    limits = dict(limit_concurrency=200, timeout_graceful_shutdown=1)  # others get status 503
    uvicorn.run(app, port=int(PORT), log_level="warning", **limits)
