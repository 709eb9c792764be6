package terminal

import (
	"context"
	"os/exec"
	"runtime"
)

// browsers are the commands that open an address, by system; the last is for every other.
var browsers = []struct {
	system  string
	command []string
}{
	{"darwin", []string{"open"}},
	{"windows", []string{"rundll32", "url.dll,FileProtocolHandler"}},
	{"", []string{"xdg-open"}},
}

// Browse opens url in the user's browser. It returns once the command that does so has
// ended. url must be one of our own making.
func Browse(ctx context.Context, url string) error {
	for _, b := range browsers {
		if b.system == runtime.GOOS || b.system == "" {
			return exec.CommandContext(ctx, b.command[0], append(b.command[1:], url)...).Run()
		}
	}
	return nil
}
