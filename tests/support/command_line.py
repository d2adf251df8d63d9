"""``beet deejai``, as a user types it."""

from __future__ import annotations

import pytest
from beets.exceptions import UserError
from beets.test.helper import IOMixin, PluginTestHelper


class CommandLine(IOMixin, PluginTestHelper):
    """A library on disk, and the verbs with what they print or refuse."""

    plugin = "deejai"
    db_on_disk = True

    def titles(self, *args: str) -> list[str]:
        return self.run_with_output("deejai", *args, "-f", "$title").splitlines()

    def refused(self, *args: str) -> str:
        with pytest.raises(UserError) as caught:
            self.run_command("deejai", *args)
        message = str(caught.value)
        assert "\n" not in message
        return message
