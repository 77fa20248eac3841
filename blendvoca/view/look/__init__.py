"""What makes a mesh look like a head: occlusion, eyes, lips, brows, teeth."""
