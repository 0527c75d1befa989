"""What sessions start: `python -I lib keeper|notice <session directory>`."""

import sys
from pathlib import Path

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["keeper", directory]:
            from desktop.session import spawn
            sys.exit(spawn.main(Path(directory)))
        case ["notice", directory]:
            from desktop.web import notice
            sys.exit(notice.main(Path(directory)))
    sys.exit("usage: python -I lib keeper|notice <session directory>")
