"""ONE-PEACE against its authors' code: every stage of the three encoders, and the names of the official weights."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
import torch
from comparing import keep
from torch import Tensor, nn

from avloc.features.extractors.pretrained.networks import OFFICIAL, fit
from avloc.features.extractors.pretrained.onepeace import normal_waveform
from avloc.features.extractors.pretrained.onepeace_inputs import patch_offsets, sound_buckets
from features import FOLDER, FeatureFixture, opened, parameters

NEAR = {"atol": 1e-5, "rtol": 1e-5}


def network_of(name: str, fixture: FeatureFixture) -> nn.Module:
    fitted = fit(name, fixture.weights(), name)
    assert not fitted.network.published
    network = fitted.network
    network.load_state_dict(fitted.state, strict=True, assign=True)
    return network.eval()


def assert_stages(fixture: FeatureFixture, network: nn.Module, run: Callable[[], Tensor]) -> Tensor:
    stages: dict[str, list[Tensor]] = {}
    keep(stages, "adapter", network.adapter)  # type: ignore[arg-type]
    keep(stages, "encoder", network.encoder)  # type: ignore[arg-type]
    for i, layer in enumerate(network.encoder.layers):  # type: ignore[union-attr,arg-type]
        keep(stages, f"layer/{i}", layer)
    with torch.no_grad():
        output = run()
    compared = 0
    for name, found in stages.items():
        if f"stage/{name}" in fixture.tensors:
            own = found[0].transpose(0, 1) if name.startswith("layer/") else found[0]
            torch.testing.assert_close(own, fixture[f"stage/{name}"], **NEAR)
            compared += 1
    assert compared >= 4
    return output


@pytest.mark.parametrize("path", parameters("feat_onepeace_image"))
def test_image(path: object) -> None:
    fixture = opened(path)  # type: ignore[arg-type]
    network = network_of("onepeace-image", fixture)
    side = network.side  # type: ignore[union-attr]
    assert torch.equal(patch_offsets(side), fixture["rp_bucket"].long())  # type: ignore[arg-type]
    torch.testing.assert_close(network.adapter.biases()[0], fixture["stage/bias"], **NEAR)  # type: ignore[union-attr,operator]
    for name, wanted in fixture.named("pos_embed_interpolated_to_").items():
        torch.testing.assert_close(network.adapter.positions(int(name)), wanted[0], **NEAR)  # type: ignore[union-attr,operator]
    output = assert_stages(fixture, network, lambda: network(fixture["in/images"]))
    torch.testing.assert_close(output, fixture["output"], atol=fixture.tolerance, rtol=0)


@pytest.mark.parametrize("path", parameters("feat_onepeace_audio"))
def test_audio(path: object) -> None:
    fixture = opened(path)  # type: ignore[arg-type]
    network = network_of("onepeace-audio", fixture)
    buckets = network.adapter.buckets  # type: ignore[union-attr]
    corner, far = fixture["rp_bucket_corner"].long(), fixture["rp_bucket_far"].long()
    table = sound_buckets(1024, buckets)  # type: ignore[arg-type]
    assert torch.equal(table[: len(corner), : len(corner)], corner) and torch.equal(table[5, ::37], far)
    sounds = []
    for i, length in enumerate(fixture["in/lengths_after_preprocessing"].tolist()):
        sound = normal_waveform(fixture[f"in/wave/{i}"][None])[0]
        sounds.append(sound.repeat(-(-length // len(sound)))[:length])
    waves = nn.utils.rnn.pad_sequence(sounds, batch_first=True)
    padding = fixture["in/padding_mask"]
    length = padding.shape[1]
    torch.testing.assert_close(network.adapter.biases(length)[0], fixture["stage/bias"], **NEAR)  # type: ignore[union-attr,operator]
    output = assert_stages(fixture, network, lambda: network(waves, padding))
    torch.testing.assert_close(output, fixture["output"], atol=fixture.tolerance, rtol=0)
    longest = max(range(len(sounds)), key=lambda i: len(sounds[i]))
    with torch.no_grad():  # alone, nothing is padded; positions of the shorter are found over what pads them, too
        torch.testing.assert_close(network(sounds[longest][None])[0], output[longest], atol=1e-5, rtol=0)


@pytest.mark.parametrize("path", parameters("feat_onepeace_video"))
def test_video(path: object) -> None:
    fixture = opened(path)  # type: ignore[arg-type]
    network = network_of("onepeace-video", fixture)
    for layer in network.encoder.layers:  # type: ignore[union-attr]
        layer.adapter_scale = fixture.about["constructor"]["adapter_scale"]
    output = assert_stages(fixture, network, lambda: network(fixture["in/video"]))
    wanted = fixture["output"][..., 0, 0].transpose(1, 2)
    torch.testing.assert_close(output, wanted, atol=fixture.tolerance, rtol=0)


@pytest.mark.parametrize("name", ["image", "audio", "video_k400"])
def test_official_names_and_sizes(name: str) -> None:
    path = FOLDER / "keys" / f"onepeace_{name}.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    about = json.loads(path.read_text())
    state = {
        key: torch.empty(entry["shape"], dtype=getattr(torch, entry["dtype"]), device="meta")
        for key, entry in about["state_dict"].items()
    }
    kind = f"onepeace-{name.removesuffix('_k400')}"
    fitted = fit(kind, state, name)
    assert fitted.network.published and fitted.network.width == 1536
    assert (
        sum(p.numel() for p in fitted.network.parameters())
        + sum(state[key].numel() for key in fitted.left if key in about["parameters"])
        == about["n_parameters"]
    )
    buffers = set(about["state_dict"]) - set(about["parameters"])
    beside = set(fitted.left) - buffers
    assert buffers <= set(fitted.left) and all(re.search("logit_scale|mask_embedding", key) for key in beside)
    if "video" in name:
        prefixed = {f"backbone.{key}": tensor for key, tensor in state.items()}
        prefixed["cls_head.fc_cls.weight"] = torch.empty(400, 1536, device="meta")
        assert fit(kind, prefixed, name).state.keys() == fitted.state.keys()
    else:  # as a checkpoint of all modalities has it
        other = {"encoder_wrapper.text_adapter.x": state["logit_scale"], "decoder_wrapper.y": state["logit_scale"]}
        layers = {key.replace(f".{name}_ffn.", ".text_ffn."): t for key, t in state.items() if "_ffn." in key}
        assert fit(
            kind, {**state, **other, **layers, "text_proj.weight": state["logit_scale"]}, name
        ).network.published
    assert kind in OFFICIAL
