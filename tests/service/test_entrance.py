"""Who mistypes a password loses nothing else, with scripts and without, and comes in at last."""

import pytest
from service.chromium import browser
from service.installation import Installation


@pytest.mark.parametrize("scripts", [True, False])
def test_a_wrong_password_costs_nothing_else(site: Installation, scripts: bool) -> None:
    program = site.directory / "check"
    program.write_text("#!/bin/sh\nread -r user\nread -r word\n"
                       "[ \"$user $word\" = 'eve right' ]\n")
    program.chmod(0o755)
    site.configure(check_user_with_htpasswd=0, check_user_custom=program)
    with browser() as page:
        page.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not scripts})
        page.open(f"{site.stranger().origin}/desktop/")
        if scripts:
            page.find("label:has(input[value='empty.raw'])").click()
        else:
            page.fill("#machine", "empty.raw")
        page.fill("#user", "eve")
        page.fill("#password", "wrong")
        page.tick("#persistent")
        page.tick("#terms")
        page.find("#start").click()
        page.find("[role=alert]")
        assert page.find("#user").get_attribute("value") == "eve"
        assert not page.find("#password").get_attribute("value")
        page.fill("#password", "right")
        page.find("main button").click()
        button = page.find("a.button[href*='view.html']", 60)
        session, = site.directories()
        record = site.record(session.name)
        assert [record[name] for name in ("machine", "persistent", "owner", "method")] == [
            "empty.raw", True, "eve", "custom"]
        page.new_tab(button)  # which has scripts
        assert page.screen()[0] > 300
