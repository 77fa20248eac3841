"""Looking at things: pictures, videos, pages."""
