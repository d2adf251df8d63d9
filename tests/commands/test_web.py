"""``beet deejai web``, from the first line that it prints to its end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from command_line import CommandLine
from libraries import add_made_tracks, circle

if TYPE_CHECKING:
    from collections.abc import Iterator


class TestWeb(CommandLine):
    @contextmanager
    def open_deck(self, *args: str, **environment: str) -> Iterator[Any]:
        """Run the command as a user does, and wait for its first line."""
        with self.lib.path.parent.joinpath("config.yaml").open("w") as file:
            json.dump(
                {
                    "library": os.fspath(self.lib.path),
                    "directory": os.fsdecode(self.lib.directory),
                    "plugins": ["deejai"],
                },
                file,
            )
        process = subprocess.Popen(
            [sys.executable, "-m", "beets", "deejai", "web", "--port", "0", *args],
            env={
                **os.environ,
                "BEETSDIR": os.fspath(self.lib.path.parent),
                **environment,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = process.stdout.readline()
        address = re.search(r"http://\S+", line)
        try:
            assert address, process.communicate(timeout=20)
            yield process, address[0]
        finally:
            process.kill()
            process.communicate(timeout=20)

    def test_it_tells_where_it_is_and_ctrl_c_closes_it(self) -> None:
        add_made_tracks(self.lib, circle(5))
        with self.open_deck("--demo", "5", "--crossfade", "2s") as (process, address):
            with urllib.request.urlopen(f"{address}api/v1/status") as answer:
                status = json.load(answer)
            assert (status["n_tracks"], status["demo_s"]) == (5, 5.0)
            assert status["crossfade_s"] == 2.0
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
            assert (process.returncode, output, errors) == (0, "", "")

    def test_an_empty_library_opens_and_says_what_to_do(self) -> None:
        with self.open_deck() as (process, address):
            with urllib.request.urlopen(f"{address}api/v1/status") as answer:
                assert "beet import" in json.load(answer)["reason"]
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=20)
            assert "beet import" in errors
            assert process.returncode == 128 + signal.SIGTERM

    def test_others_need_the_token_that_is_printed(self) -> None:
        with self.open_deck("--host", "0.0.0.0") as (_, address):
            page, token = address.split("?token=")
            assert len(token) >= 32
            local = re.sub("//[^:]*:", "//127.0.0.1:", page)
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(f"{local}api/v1/status")
            assert refused.value.code == 401
            refused.value.close()
            request = urllib.request.Request(
                f"{local}api/v1/status", headers={"Authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(request) as answer:
                assert answer.status == 200

    def test_the_environment_may_bring_the_token(self) -> None:
        with self.open_deck(DEEJAI_TOKEN="a-token-of-my-own") as (_, address):
            assert address.endswith("/?token=a-token-of-my-own")

    def test_a_name_for_others_brings_a_token(self) -> None:
        with self.open_deck("--allow-host", "deck.example") as (_, address):
            assert re.search(r"//127.0.0.1:\d+/\?token=[\w-]{32}$", address)

    def test_a_port_that_is_taken_is_told(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            assert "--port takes another" in self.refused("web", "--port", port)

    def test_options_that_make_no_sense_are_refused(self) -> None:
        assert "no arguments" in self.refused("web", "roxanne")
        assert "65535" in self.refused("web", "--port", "65536")
        assert "65535" in self.refused("web", "--port", "-1")
        assert "--host" in self.refused("web", "--host", "")
        assert "--host" in self.refused("web", "--host", "192.0.2.1")
        assert "12 to 200" in self.refused("web", "--token", "short")
        assert "12 to 200" in self.refused("web", "--token", "")
        assert "12 to 200" in self.refused("web", "--token", "with a space inside")
        assert "--demo" in self.refused("web", "--demo", "0")
        assert "--demo" in self.refused("web", "--demo", "x")
        assert "--crossfade" in self.refused("web", "--crossfade", "2m")
        assert "--max-length" in self.refused("web", "--max-length", "x")

    def test_what_is_not_installed_is_told(self) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(sys.modules, "waitress", None)
            assert "pip install 'beets-deejai[web]'" in self.refused("web")
