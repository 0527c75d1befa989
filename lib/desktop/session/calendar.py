"""When a session ends by itself. Moments are seconds since boot (process.boottime)."""

from desktop import process
from desktop.session.record import MAILED, Record, State
from desktop.settings import Settings

NAP = 30.0  # seconds at most between two looks at the calendar: a suspended host stops timers
ROUND = 300.0  # seconds between two looks at what nothing tells of: logs that grow
RETRY = 5.0  # seconds between two looks for room on a full disk


class Calendar:
    """What a keeper has to think of, and when."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.alone_since: float | None = process.boottime()
        self.met = False  # somebody has looked on
        self.powerdown: tuple[float, str] | None = None  # when the guest's time is over, and why
        self.unparked_until = 0.0  # it could not be parked, and is not tried before that
        self.retry: float | None = None  # when to look for room on a full disk again

    def resume(self, entry: Record) -> None:
        """Go on where another keeper stopped.

        Nothing tells whether somebody has looked on before it; a mail may still be on its way.
        """
        self.met = entry.method != MAILED or entry.viewers > 0

    def note_viewers(self, count: int) -> None:
        """Take note of how many look on."""
        if count:
            self.met = True
            self.alone_since = None
        elif self.alone_since is None:
            self.alone_since = process.boottime()

    def ends(self, entry: Record) -> dict[str, float]:
        """Return the moments at which the session ends, by why it would."""
        found: dict[str, float] = {}
        if entry.deadline:
            found["its time was over"] = entry.deadline
        if self.powerdown:
            moment, why = self.powerdown
            found[why] = moment
        if self.alone_since is not None:
            if not self.met and (patience := self.patience(entry)):
                found["nobody connected"] = self.alone_since + patience
            if self.met and not entry.persistent:
                found["its viewer left"] = self.alone_since + self.settings.disconnect_grace
        return found

    def patience(self, entry: Record) -> int:
        """Return the seconds to wait for a first viewer, 0 for any: mail is slow."""
        if entry.method == MAILED:
            return self.settings.email_connect_timeout
        return self.settings.first_connect_timeout

    def notice(self, entry: Record) -> float | None:
        """Return the moment at which its owner is mailed of the end; None: not again, or never.

        Not whom a first look told of it, nor for a few minutes more: who extends a session by a
        second, a thousand times, gets no thousand mails.
        """
        site = self.settings
        if not (entry.mail and entry.deadline and site.warn_before_end and site.smtp_server
                and site.email_from):
            return None
        if entry.noticed and entry.deadline < entry.noticed + site.warn_before_end:
            return None
        return entry.deadline - site.warn_before_end

    def notice_is_due(self, entry: Record) -> bool:
        """Tell whether that moment has come."""
        moment = self.notice(entry)
        return moment is not None and process.boottime() >= moment

    def parks(self, entry: Record) -> float | None:
        """Return the moment at which the session is to be parked, None for never.

        One that nobody has ever looked at ends for that.
        """
        if not (self.settings.park_after and entry.persistent and self.alone_since is not None
                and entry.state is State.RUNNING and (self.met or not self.patience(entry))):
            return None
        return max(self.alone_since + self.settings.park_after, self.unparked_until)

    def parking_is_due(self, entry: Record) -> bool:
        """Tell whether to park the session now."""
        moment = self.parks(entry)
        return moment is not None and process.boottime() >= moment

    def put_off_parking(self) -> None:
        """Try again later: a volume may be unmounted, a disk emptied."""
        self.unparked_until = process.boottime() + self.settings.park_after + ROUND

    def pause(self, entry: Record) -> float:
        """Return the seconds one may sleep while nothing happens."""
        moments = [*self.ends(entry).values(),
                   *filter(None, (self.retry, self.notice(entry), self.parks(entry)))]
        if not moments:
            return ROUND
        return max(0.0, min(NAP, min(moments) - process.boottime()))

    def over(self, entry: Record) -> str:
        """Return why the session is over by now, or nothing."""
        now = process.boottime()
        return next((why for why, moment in self.ends(entry).items() if now >= moment), "")

    def retry_is_due(self) -> bool:
        """Tell whether to look for room on a full disk; the next look comes later."""
        if self.retry is None or process.boottime() < self.retry:
            return False
        self.retry = process.boottime() + RETRY
        return True
