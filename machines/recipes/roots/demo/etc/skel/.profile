[ "$(tty)" != /dev/tty1 ] || exec startx -- -nolisten tcp vt1 > /run/user/"$(id -u)"/desktop.log 2>&1
