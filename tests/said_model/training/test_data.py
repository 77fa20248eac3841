"""Windows: which frames and samples they hold, and that torch's loaders can carry them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shard_builders as build

from blendvoca.dataset import BlendVOCA
from blendvoca.errors import ConfigurationError

torch = pytest.importorskip("torch", reason="needs torch: pip install 'blendvoca[said]'")
from said_model.training.data import ClipWindows  # noqa: E402


@pytest.fixture
def dataset(tmp_path: Path) -> BlendVOCA:
    build.dataset(tmp_path, frames=50)
    return BlendVOCA(tmp_path, audio_rate=16_000)


def test_windows_are_cut_in_step(dataset: BlendVOCA) -> None:
    windows = ClipWindows(dataset, frames=20, stride=15)
    clip = dataset[0]
    assert clip.waveform is not None
    starts = [int(window["start"]) for window in (windows[i] for i in range(len(windows))) if window["clip"] == 0]
    assert starts == [0, 15, 30, 31]  # 51 frames: the last window ends with the clip
    window = windows[1]
    np.testing.assert_array_equal(window["coefficients"], clip.track.values[15:35].astype(np.float32))
    np.testing.assert_array_equal(window["waveform"], clip.waveform.samples[4000 : 4000 + windows.samples])
    assert windows.samples == round(20 / 60 * 16_000)
    assert window["mask"].all()
    assert window["coefficients"].dtype == window["waveform"].dtype == torch.float32


def test_short_clips_are_filled_up(dataset: BlendVOCA) -> None:
    windows = ClipWindows(dataset, frames=60, stride=1)
    assert len(windows) == 9
    window = windows[0]
    assert window["mask"].sum() == 51
    np.testing.assert_array_equal(window["coefficients"][50:], window["coefficients"][50].expand(10, -1))
    assert (window["waveform"][-2000:] == 0).all()


def test_stride_one_gives_every_start(dataset: BlendVOCA) -> None:
    assert len(ClipWindows(dataset, frames=20, stride=1)) == 3 * sum(frames - 19 for frames in (51, 52, 53))


def test_speakers_are_numbered(dataset: BlendVOCA) -> None:
    windows = ClipWindows(dataset, frames=60)
    assert [int(windows[i]["speaker"]) for i in range(9)] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_without_sound(tmp_path: Path) -> None:
    build.dataset(tmp_path, licence_class="coefficients")
    assert "waveform" not in ClipWindows(BlendVOCA(tmp_path), frames=20)[0]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_loaders(dataset: BlendVOCA, method: str) -> None:
    windows = ClipWindows(dataset, frames=20, stride=20)
    loader = torch.utils.data.DataLoader(windows, batch_size=4, num_workers=2, multiprocessing_context=method)
    rows = torch.cat([batch["coefficients"] for batch in loader])
    np.testing.assert_array_equal(rows, torch.stack([windows[i]["coefficients"] for i in range(len(windows))]))


def test_bad_settings(dataset: BlendVOCA, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="stride"):
        ClipWindows(dataset, stride=0)
