package report

import (
	"encoding/json"
	"io"
)

// JSON writes v, indented.
func JSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// A Refusal is what a verb with --json writes when it has nothing else to write.
type Refusal struct {
	Error Failure `json:"error"`
}

// JSONError writes what err is in words as JSON, and returns err marked as
// written. target is what we connected to, empty where there is none.
func JSONError(w io.Writer, target string, f Failure, err error) error {
	f.Target, f.Code = target, ExitCode(err)
	if err := JSON(w, Refusal{f}); err != nil {
		return err
	}
	return Reported(err)
}
