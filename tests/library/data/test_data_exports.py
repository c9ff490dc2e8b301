import subprocess
import sys

import pytest

import unetpp_lib.data


def test_every_name_of_the_package_is_there():
    for name in unetpp_lib.data.__all__:
        assert getattr(unetpp_lib.data, name).__module__.startswith("unetpp_lib.data.")


@pytest.mark.slow
def test_importing_the_package_needs_only_the_core():
    beyond = "pooch", "scipy", "skimage", "matplotlib", "ipywidgets"
    blocked = f"import sys; sys.modules.update(dict.fromkeys({beyond})); import unetpp_lib.data"
    subprocess.run([sys.executable, "-c", blocked], check=True)
