package report

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// did is what could not be done to a file, by the name of the system call.
var did = map[string]string{
	"write": "written", "close": "written", "mkdir": "made", "chmod": "given to you alone", "remove": "removed", "truncate": "written", "lock": "locked",
}

// inWords is a text with an error in it whose beginning is the name of a system call: "open x:
// no such file or directory". It becomes "x cannot be read: no such file or directory".
func inWords(text string, err error) string {
	path, ok := errors.AsType[*fs.PathError](err)
	if !ok {
		return text
	}
	what, known := did[path.Op]
	if !known {
		what = "read"
	}
	return strings.Replace(text, path.Error(), fileFault(path, what), 1)
}

func fileFault(path *fs.PathError, what string) string {
	why := path.Err.Error()
	switch {
	case errors.Is(path.Err, syscall.EISDIR):
		why = "it is a folder"
	case errors.Is(path.Err, syscall.ENOTDIR):
		why = "it, or a part of its path, is not a folder"
	}
	return fmt.Sprintf("%s cannot be %s: %s", path.Path, what, why)
}

// Unwritable is for a file that a flag names, "-o", and that cannot be opened to write to it.
func Unwritable(flag string, err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return Usagef("%s: %s", flag, fileFault(path, "written"))
	}
	return Usagef("%s: %v", flag, err)
}
