package main

import (
	"fmt"
	"strconv"
	"strings"
)

// A job is one line between the parent and a child: a verb and key=value
// fields. Answers have the same form: "ok n=12 cpu_ns=345", "port 4433",
// "unsupported REASON" or "error REASON".
type job struct {
	verb   string
	fields map[string]string
}

func parseJob(line string) job {
	words := strings.Fields(line)
	j := job{fields: map[string]string{}}
	for i, w := range words {
		key, value, found := strings.Cut(w, "=")
		switch {
		case i == 0:
			j.verb = w
		case found:
			j.fields[key] = value
		}
	}
	return j
}

func (j job) text(key string) string { return j.fields[key] }

func (j job) flag(key string) bool { return j.fields[key] == "1" }

// number returns the field as an integer; an absent or odd one is 0.
func (j job) number(key string) int {
	n, _ := strconv.Atoi(j.fields[key])
	return n
}

// figures are the named numbers of an "ok" answer.
type figures map[string]float64

func (f figures) String() string {
	var b strings.Builder
	b.WriteString("ok")
	for key, value := range f {
		fmt.Fprintf(&b, " %s=%.0f", key, value)
	}
	return b.String()
}

// unsupported says that a stack cannot do what a row asks, which is not a failure.
type unsupported string

func (u unsupported) Error() string { return string(u) }

// parseAnswer is the reverse of figures.String, and turns the two unhappy
// answers into errors.
func parseAnswer(line string) (figures, error) {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch verb {
	case "ok":
	case "unsupported":
		return nil, unsupported(rest)
	case "error":
		return nil, fmt.Errorf("%s", rest)
	default:
		return nil, fmt.Errorf("unexpected answer %q", line)
	}
	f := figures{}
	for key, value := range parseJob(line).fields {
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return nil, fmt.Errorf("answer %q: %w", line, err)
		}
		f[key] = n
	}
	return f, nil
}
