"""What a server reports of itself: version, model, and the arguments that matter to a result."""

from __future__ import annotations

from collections.abc import Mapping

from assay.endpoint.address import Address
from assay.suts import endpoint_http, server_settings

_SGLANG = (
    "version",
    "model_path",
    "dtype",
    "quantization",
    "kv_cache_dtype",
    "tp_size",
    "dp_size",
    "pp_size",
    "nnodes",
    "device",
    "context_length",
    "max_running_requests",
    "disable_radix_cache",
    "allow_auto_truncate",
    "load_format",
    "json_model_override_args",
    "speculative_algorithm",
    "speculative_num_steps",
    "speculative_eagle_topk",
    "stream_interval",
    "sampling_defaults",
)
ABOUT = {
    "/version": ("version",),
    "/get_server_info": _SGLANG,  # its older name
    "/server_info": _SGLANG,
    "/props": ("build_info", "model_path", "model_ftype", "total_slots"),
}
"""Path -> fields to keep. The other fields may hold keys. Source: documents of vLLM, SGLang and llama.cpp."""
OF_MODEL = ("id", "root", "max_model_len", "owned_by")


def description(address: Address, model: str, token: str | None) -> dict[str, object]:
    """The server's description, without what it does not report. Raises: EnvironmentProblem when it does not answer."""
    found: dict[str, object] = {}
    for path, fields in ABOUT.items():
        told = endpoint_http.get_json(address, path, token)
        found |= _plain(told, fields)
        slot = told.get("default_generation_settings")  # llama.cpp: of each slot
        if isinstance(slot, dict) and type(size := slot.get("n_ctx")) is int:
            found["ctx_size"] = size
    status, metrics = endpoint_http.get(address, "/metrics", token)
    found |= server_settings.cache_info(metrics) if status == 200 else {}
    for entry in endpoint_http.model_entries(address, token):
        if entry["id"] == model:
            found |= _plain(entry, OF_MODEL)
    return found


def other_model(address: Address, before: Mapping[str, object], token: str | None) -> str:
    """A sentence with both names when the server no longer serves the model of its description `before`. Empty when
    it does, or does not say. Raises: EnvironmentProblem when it does not answer.

    vLLM's `root` is the checkpoint behind a name. Source: vLLM, ModelCard.
    """
    entries = [_plain(entry, OF_MODEL) for entry in endpoint_http.model_entries(address, token)]
    same = [entry for entry in entries if entry["id"] == before.get("id")]
    root, roots = before.get("root"), [entry["root"] for entry in same if "root" in entry]
    old, new = (root, roots) if same else (before.get("id"), [entry["id"] for entry in entries])
    if not old or not new or old in new:
        return ""
    return f"{address.text} served model {old} before the run, and {', '.join(map(str, new[:3]))} after it"


def _plain(found: Mapping[str, object], fields: tuple[str, ...]) -> dict[str, object]:
    """Keeps short plain values only: what a server reports is foreign text."""
    return {
        name: str(value)[:200] if isinstance(value, str) else value
        for name in fields
        if isinstance(value := found.get(name), (str, int, float, bool))
    }
