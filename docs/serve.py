"""Serves a student over HTTP, with neither TensorFlow nor this project.

pip install starlette uvicorn onnxruntime pillow
orc-keras export --run=runs/digits --formats=onnx
STUDENT=runs/digits/student uvicorn --app-dir docs serve:app
curl --data-binary @photo.png http://127.0.0.1:8000/predict
"""

import io
import os
import sys

import onnxruntime
from PIL import Image
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route

STUDENT = os.environ.get("STUDENT", "").rstrip("/")  # the directory, beside which is <this>.onnx
if not (os.path.isfile(f"{STUDENT}/photo.py") and os.path.isfile(f"{STUDENT}.onnx")):
    sys.exit(f"STUDENT={STUDENT} must be an exported student's directory, with its .onnx beside.")
sys.path.insert(0, STUDENT)
from photo import to_images  # noqa: E402  (the student's own)

MOST_BYTES = 20_000_000
session = onnxruntime.InferenceSession(f"{STUDENT}.onnx", providers=["CPUExecutionProvider"])
with open(f"{STUDENT}/class_names.txt", encoding="utf-8") as file:
    class_names = file.read().splitlines()


async def predict(request):
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MOST_BYTES:
            return JSONResponse({"error": f"More than {MOST_BYTES:,} bytes."}, 413)
    try:
        return JSONResponse(await run_in_threadpool(classified, body))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return JSONResponse({"error": "This is not an undamaged PNG, JPEG, BMP or WebP."}, 415)


def classified(encoded):
    """Returns the most probable class, and the probability of each."""
    (probabilities,) = session.run(["probabilities"], {"images": to_images(io.BytesIO(encoded))})
    by_name = dict(zip(class_names, probabilities[0].tolist()))
    return {"class": max(by_name, key=by_name.get), "probabilities": by_name}


app = Starlette(routes=[Route("/predict", predict, methods=["POST"])])
