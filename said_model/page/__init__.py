"""A page that talks: one self-contained HTML file in which the model runs (``said page``).

Sound goes in by file or microphone, takes come out on a head: the viewer of ``blendvoca inspect``, the network in
onnxruntime's WebAssembly, and front end and sampler in JavaScript (``assets/``), driven by the JSON of
:mod:`said_model.checkpoints.onnx_export`.
"""
