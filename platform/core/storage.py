"""Static files under names that carry their content's hash, compressed once."""

from __future__ import annotations

from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


def _without_source_maps(patterns: Any) -> Any:
    """Vendored minified files name source maps that we do not ship; a browser without developer tools never asks."""
    return tuple(
        (
            ending,
            tuple(rule for rule in rules if "sourceMappingURL" not in (rule if isinstance(rule, str) else rule[0])),
        )
        for ending, rules in patterns
    )


class StaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # whitenoise is untyped
    patterns = _without_source_maps(CompressedManifestStaticFilesStorage.patterns)
    # Brotli at its highest level takes 20 s of CPU for a tenth fewer bytes than gzip; hashed copies alone are served.
    keep_only_hashed_files = True
    manifest_strict = False  # a page about an error must not fail over a missing picture

    def create_compressor(self, **kwargs: Any) -> Any:
        return super().create_compressor(**kwargs, use_brotli=False)
