"""glTF 2.0 scenes: container, accessors, compression, nodes with their meshes and skins, animations."""
