"""The device views in the OpenAPI document: they are plain views, which DRF's tools do not see."""

from typing import Any

from devices.wire import json_schemas

_DEVICE = {
    "name": "device_id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "format": "uuid"},
}
_EXAMPLE_ID = "5b9d3f6a-21c4-4d6b-8f0a-3c2b1a09f8e7"
_COMMAND = "0b7f1a0e-6c5d-5e4f-8a3b-2c1d0e9f8a7b"
_ACK = {
    "message_type": "InstructionStatusUpdate",
    "device_id": _EXAMPLE_ID,
    "command_id": _COMMAND,
    "sequence": 2,
    "status": "SUCCEEDED",
    "reported_at": "2027-03-28T02:00:00+00:00",
    "energy_kwh": "3.742",
}
_BATCH = {
    "device_id": _EXAMPLE_ID,
    "start": "2027-03-28T01:15:00+00:00",
    "interval_seconds": 900,
    "soc": [0.42, 0.5],
    "power_kw": [-7.5, -7.5],
    "import_wh": [128000, 129875],
    "export_wh": [90000, 90000],
    "consumption_wh": [700100, 700350],
    "state": "RUNNING",
}
_SCHEDULE = {
    "schedule_id": "8f0c6c0e-8e2f-4f6e-9a57-0a4f6f1f2a11",
    "device_id": _EXAMPLE_ID,
    "version": 1,
    "valid_from": "2027-03-28T01:00:00Z",
    "valid_to": "2027-03-28T02:00:00Z",
    "entries": [
        {
            "start_time": "2027-03-28T01:00:00Z",
            "end_time": "2027-03-28T01:30:00Z",
            "mode": 2,
            "rate_kw": 7.5,
        }
    ],
}


def describe_device_routes(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the device routes and the messages of the wire to the document."""
    components = result.setdefault("components", {})
    components.setdefault("schemas", {}).update(json_schemas())
    components.setdefault("securitySchemes", {})["deviceToken"] = {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of one device, which speaks for itself only.",
    }
    root = "/api/v1/devices/{device_id}"
    result.setdefault("paths", {}).update(
        {
            f"{root}/schedule": {"get": _poll()},
            f"{root}/acks": {
                "post": _post(
                    "devices_acks",
                    "Acknowledge",
                    "Stores receptions of schedules and updates of orders, each once by "
                    "(command_id, sequence). An array is answered with a receipt for each; a "
                    "single object that is refused is answered with 403, 404, 409 or 410.",
                    ["ReceptionStatus", "InstructionStatusUpdate"],
                    _ACK,
                    f"{_COMMAND}/2",
                )
            },
            f"{root}/telemetry": {
                "post": _post(
                    "devices_telemetry",
                    "Report telemetry",
                    "Stores batches of samples, each once by (device, start).",
                    ["TelemetryBatch"],
                    _BATCH,
                    "2027-03-28T01:15:00+00:00",
                )
            },
        }
    )
    result["paths"] = dict(sorted(result["paths"].items()))
    return result


def _poll() -> dict[str, Any]:
    return {
        "operationId": "devices_schedule",
        "summary": "Fetch the schedule",
        "description": (
            "The device's schedules in force as one document. Send the ETag back in "
            "If-None-Match: 304 means that nothing changed. 204: no schedule, stay idle."
        ),
        "tags": ["devices"],
        "security": [{"deviceToken": []}],
        "parameters": [
            _DEVICE,
            {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}},
        ],
        "responses": {
            "200": {
                "description": "The schedule.",
                "content": {
                    "application/json": {
                        "schema": {"$ref": "#/components/schemas/Schedule"},
                        "example": _SCHEDULE,
                    }
                },
            },
            "204": {"description": "No schedule is in force."},
            "304": {"description": "The device has the newest."},
        },
    }


def _post(
    operation_id: str,
    summary: str,
    description: str,
    names: list[str],
    example: dict[str, Any],
    key: str,
) -> dict[str, Any]:
    one = [{"$ref": f"#/components/schemas/{name}"} for name in names]
    answer = {
        "application/json": {
            "schema": {"$ref": "#/components/schemas/Confirmation"},
            "example": {"results": [{"key": key, "outcome": "RECORDED"}]},
        }
    }
    return {
        "operationId": operation_id,
        "summary": summary,
        "description": description,
        "tags": ["devices"],
        "security": [{"deviceToken": []}],
        "parameters": [_DEVICE],
        "x-natural-key": True,
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {"oneOf": [*one, {"type": "array", "items": {"oneOf": one}}]},
                    "example": example,
                }
            },
        },
        "responses": {
            "200": {"description": "Receipts, or known already.", "content": answer},
            "201": {"description": "Stored.", "content": answer},
        },
    }
