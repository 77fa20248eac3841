"""Blendshape rigs as files: glTF, USD, folders of OBJ, ICT FaceKit."""
