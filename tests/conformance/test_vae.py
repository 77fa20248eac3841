"""The metric VAE against the published weights' own answers (``vae.npz``)."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from said_model.evaluation.vae import latent_features, load_vae  # noqa: E402


def test_latents_and_reconstruction(assets, conformance):
    model = load_vae(assets / "said" / "vae.pth")
    data = np.load(conformance / "vae.npz")
    with torch.no_grad():
        answer = model(torch.as_tensor(data["coefficients"]))
    np.testing.assert_allclose(answer.mean.numpy(), data["latent_mean"], atol=1e-5)
    np.testing.assert_allclose(answer.log_variance.numpy(), data["latent_log_var"], atol=1e-5)
    np.testing.assert_allclose(answer.coefficients.numpy(), data["reconstruction"], atol=1e-5)
    np.testing.assert_allclose(latent_features(model, data["coefficients"], 7), data["latent_mean"], atol=1e-5)
