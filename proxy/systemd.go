package proxy

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// firstSocket is the number of the first descriptor that systemd passes. sd_listen_fds(3).
const firstSocket = 3

// systemdSockets takes the listening sockets that systemd has passed to this process, by
// their names. It takes them once: children do not find them.
func systemdSockets() (inherited, error) {
	from := make(inherited)
	if os.Getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return from, nil
	}
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		os.Unsetenv(name)
	}
	if err != nil || count < 0 || count > 1024 {
		return from, nil // not systemd's
	}
	for i := range count {
		name := "unknown" // as systemd has it
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		file := os.NewFile(uintptr(firstSocket+i), name)
		l, err := net.FileListener(file)
		file.Close()
		if err != nil {
			return from, fmt.Errorf("proxy: descriptor %d, which systemd passed as %s, is not a listening socket: %w", firstSocket+i, name, err)
		}
		from["systemd:"+name] = append(from["systemd:"+name], l)
	}
	return from, nil
}
