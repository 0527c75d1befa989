"""What administrators see, page by page."""

from service.scenes_of_people import form_in_maintenance
from service.stage import Stage, scene


@scene
def form_of_an_administrator(stage: Stage) -> None:
    stage.form("root")
    stage.page.find("//strong[.='[ADMIN] purge']")


@scene
def all_sessions(stage: Stage) -> None:
    stage.site.configure(service_max_instance_nb=0, overcommit_cpu=0, overcommit_memory=0)
    stage.crowd(12)
    stage.site.person("root").create()
    stage.go("monitor", "root")
    stage.page.find("[data-picture] canvas")
    stage.page.find("[data-table] tbody tr:nth-child(2) input").click()
    for summary in stage.page.driver.find_elements("css selector", "#selected summary"):
        summary.click()


@scene
def all_sessions_none(stage: Stage) -> None:
    stage.go("monitor", "root")
    stage.page.find(".empty")


@scene
def all_sessions_and_a_corrupt_record(stage: Stage) -> None:
    stage.site.configure(monitor_thumbnails="admin")
    stage.site.person("bob").create()
    (stage.site.log / f"{'b' * 26}.corrupt").write_bytes(b"\xff")
    stage.go("monitor", "root")
    stage.page.find(".corrupt button")


@scene
def look_at_a_screen(stage: Stage) -> None:
    stage.site.configure(monitor_thumbnails="admin")
    desktop = stage.site.person("bob").create()
    stage.go(f"monitor?look={desktop.id}", "root")
    stage.page.find("[data-screen] canvas")


@scene
def told_of_several(stage: Stage) -> None:
    desktop = stage.site.person("bob").create()
    word = stage.site.person("root").facts("monitor")["ticket"]
    stage.go("terms.html", "root")
    stage.page.run("""document.body.insertAdjacentHTML("beforeend", arguments[0]);
                      document.querySelector("#several").submit()""", f"""
        <form id=several method=post action=monitor><input name=action value=extend>
        <input name=ticket value="{word}"><input name=session value="{desktop.id}">
        <input name=session value="{'b' * 26}"></form>""")
    stage.page.find(".facts")


@scene
def history_of_everybody(stage: Stage) -> None:
    for name in ("ada", "bob"):
        stage.site.person(name).create().stop()
    stage.go("monitor?history=1", "root")
    stage.page.find(".totals")


@scene
def machines(stage: Stage) -> None:
    stage.frost.settle(stage.site)
    stage.go("monitor?machines=1", "root")
    stage.page.find(".frozen table")
    stage.page.find(".sessions details summary").click()


@scene
def administration(stage: Stage) -> None:
    stage.go("admin", "root")


@scene
def administration_in_maintenance(stage: Stage) -> None:
    form_in_maintenance(stage)
    stage.go("admin", "root")
