package terminal

import (
	"io"
	"os"
	"strconv"
)

// Width is how many columns the terminal at w has; 0 where w is none, or does not say.
// $COLUMNS overrules it.
func Width(w io.Writer) int {
	if !atTerminal(w) {
		return 0
	}
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	return columnsOf(w.(*os.File).Fd())
}
