package terminal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
)

// Browse shows a file in the user's browser. It returns once the command that does so has
// ended. Other users may see the name of the file in the list of processes.
func Browse(ctx context.Context, file string) error {
	name, args := browser(runtime.GOOS, os.Getenv("BROWSER"))
	err := exec.CommandContext(ctx, name, append(args, file)...).Run()
	if errors.Is(err, exec.ErrNotFound) {
		return fmt.Errorf("there is no %s", name)
	}
	return err
}

// browser is the command that shows a file: what the environment says, or the system's way.
func browser(system, wanted string) (name string, args []string) {
	first, _, _ := strings.Cut(wanted, ":")
	if words := strings.Fields(first); len(words) > 0 && system != "windows" {
		return words[0], words[1:]
	}
	switch system {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	}
	return "xdg-open", nil
}
