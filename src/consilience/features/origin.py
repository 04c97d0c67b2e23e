"""Where features came from: all that their numbers depend on, as a dict, as a sentence and as an address."""

from __future__ import annotations

import hashlib
import json

ASIDE = "aside"  # what a reader wants to know and no number depends on, such as the name of a data set


class Origin(dict):
    """A dict of JSON values; ``str(origin)`` is one sentence, ``origin.address`` is SHA-256 of all but the aside."""

    @property
    def address(self):
        """64 hexadecimal digits. Equal origins have equal addresses, in whatever order their keys stand."""
        counted = {key: value for key, value in self.items() if key != ASIDE}
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()

    @property
    def stimuli(self):
        """The name of the data set, or the first digits of the stimuli's SHA-256."""
        return self.get(ASIDE, {}).get("stimuli") or self.get("stimuli", "unknown")[:10]

    @property
    def label(self):
        """The model and the first digits of the address: short enough for a table or an axis."""
        return f"{self.get('model', 'a model')} {self.address[:10]}"

    def __str__(self):
        weights = f", weights {self['weights_sha256'][:10]}" if self.get("weights_sha256") else ""
        if self.get("weights") == "random":
            weights = f", random weights from seed {self.get('seed')}"
        pool = f", pooled by {self['pool']}" if self.get("pool") else ""
        versions = [f"{library} {version}" for library, version in self.get("versions", {}).items() if version]
        made = f" ({', '.join(versions)})" if versions else ""
        count = f"{self['n_stimuli']} stimuli of " if "n_stimuli" in self else ""
        return f"{self.get('model', 'a model')}{weights}, on {count}{self.stimuli}{pool}{made}; {self.address[:10]}."
