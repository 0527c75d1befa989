"""What people see, page by page."""

from service import frost
from service.parking import parked
from service.person import Desktop
from service.stage import Stage, scene
from service.until import until


@scene
def form_of_a_stranger(stage: Stage) -> None:
    stage.form()


@scene
def form_of_ada(stage: Stage) -> None:
    stage.site.person().create()
    stage.form("ada")
    stage.page.find(".mine a")


@scene
def form_of_a_full_server(stage: Stage) -> None:
    stage.site.configure(service_max_instance_nb=1)
    stage.site.person("bob").create()
    stage.form()
    stage.page.find("[data-full]")


@scene
def form_with_a_broken_machine(stage: Stage) -> None:
    (stage.site.machines / "broken.qcow2").write_bytes(b"no disk")
    try:
        stage.form()
        stage.page.find("//em[normalize-space()]")
    finally:
        (stage.site.machines / "broken.qcow2").unlink()


@scene
def form_in_maintenance(stage: Stage) -> None:
    stage.site.script("admin.py", "--service_maintenance=New disks until 14:00.")
    stage.form()
    stage.page.find("//*[contains(., 'New disks')]")


@scene
def form_refused(stage: Stage) -> None:
    stage.site.configure(service_max_session_nb_per_user=1)
    stage.form("ada")
    stage.site.person("ada").create()
    stage.page.tick("#terms")
    stage.page.find("#start").click()
    stage.page.find(".refusal")


@scene
def terms(stage: Stage) -> None:
    stage.go("terms.html")


@scene
def sign_in(stage: Stage) -> None:
    stage.go("monitor")
    stage.page.find("#password")


@scene
def sign_in_refused(stage: Stage) -> None:
    sign_in(stage)
    stage.page.fill("#user", "ada")
    stage.page.fill("#password", "wrong")
    stage.page.find("main button").click()
    stage.page.find("[role=alert]")


@scene
def session_running(stage: Stage) -> None:
    stage.site.configure(warn_before_end=7000)
    desktop = stage.site.person().create(lifetime="6900")
    stage.go(f"monitor?session={desktop.id}", "ada")
    stage.page.find("[data-screen] canvas")
    stage.page.find("details.confirm summary").click()


@scene
def session_without_limits(stage: Stage) -> None:
    stage.site.configure(snapshot_lifetime=0, service_use_vnc_token=0,
                         dir_mounts=str(stage.site.machines))
    desktop = stage.site.person().create(persistent="0")
    stage.go(f"monitor?session={desktop.id}", "ada")
    stage.page.find("[data-screen] canvas")


@scene
def session_of_a_template(stage: Stage) -> None:
    stage.frost.settle(stage.site, "quick.raw")
    stage.go(f"monitor?session={frost.start(stage.site).id}", "ada")
    stage.page.find("[data-screen] canvas")


@scene
def session_parked(stage: Stage) -> None:
    desktop = parking(stage)
    stage.go(f"monitor?session={desktop.id}", "ada")
    stage.page.find("//strong[.='Parked.']")


@scene
def my_sessions_one_parked(stage: Stage) -> None:
    parking(stage)
    stage.go("monitor", "ada")
    stage.page.find("[data-parked]")


def parking(stage: Stage) -> Desktop:
    """Have a session that is parked."""
    stage.site.configure(park_after=1)
    desktop = stage.site.person().create()
    parked(stage.site, desktop)
    return desktop


@scene
def session_over(stage: Stage) -> None:
    desktop = stage.site.person().create()
    stage.go(f"monitor?session={desktop.id}", "ada")
    desktop.stop()
    stage.page.find("[data-over]")


@scene
def my_sessions(stage: Stage) -> None:
    stage.site.configure(warn_before_end=7000)
    stage.site.person().create(lifetime="6900")
    stage.site.person().create(persistent="0")
    stage.site.person().create().stop()
    stage.go("monitor", "ada")
    until(lambda: stage.page.run("return document.querySelectorAll('.screen canvas').length") == 2,
          30, "two pictures")
    stage.page.find("details:has(.token) summary").click()
    stage.page.find("details.confirm summary").click()


@scene
def my_sessions_none(stage: Stage) -> None:
    stage.go("monitor", "ada")
    stage.page.find(".empty")


@scene
def history_of_ada(stage: Stage) -> None:
    stage.site.person().create().stop()
    stage.go("monitor?history=1", "ada")
    stage.page.find(".totals")


@scene
def history_of_nobody(stage: Stage) -> None:
    stage.go("monitor?history=1", "ada")
    stage.page.find(".empty")


@scene
def confirmation(stage: Stage) -> None:
    desktop = stage.site.person().create()
    stage.go("terms.html", "ada")
    stage.send("monitor", action="stop", session=desktop.id)
    stage.page.find(".facts")


@scene
def nothing_there(stage: Stage) -> None:
    stage.go(f"monitor?session={'b' * 26}", "ada")


@scene
def not_allowed(stage: Stage) -> None:
    stage.go("admin", "ada")


@scene
def something_wrong(stage: Stage) -> None:
    template = stage.site.goods.share / "lib/desktop/web/templates/history.html"
    aside = template.rename(template.with_suffix(".aside"))
    try:
        stage.go("monitor?history=1", "ada")
    finally:
        aside.rename(template)
    stage.page.find("//p[contains(., 'number')]/code")
