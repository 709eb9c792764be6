package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A Problem is one thing that is wrong with a configuration, and what to do about it.
type Problem struct {
	// File is where the configuration is from, and Line and Column the place in it; empty
	// and 0 where it is from elsewhere.
	File         string
	Line, Column int
	// Path is the value, like listeners[0].tls.certificates[1].cert; empty for all.
	Path string
	// What is wrong, and the Remedy, as two parts of a sentence.
	What, Remedy string
	// Warning marks what works, but is likely not meant.
	Warning bool
}

// String is the problem in one line: PLACE: PATH: what is wrong; what to do.
func (p Problem) String() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File + ":")
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:", p.Line)
	}
	if p.Column > 0 {
		fmt.Fprintf(&b, "%d:", p.Column)
	}
	if b.Len() > 0 {
		b.WriteString(" ")
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	if p.Path != "" {
		b.WriteString(p.Path + ": ")
	}
	return b.String() + p.What + "; " + p.Remedy
}

// Problems are an error where one of them is no warning.
type Problems []Problem

// Error has a line for each problem.
func (p Problems) Error() string {
	var lines []string
	for _, one := range p {
		lines = append(lines, one.String())
	}
	return strings.Join(lines, "\n")
}

// Err is p without the warnings; nil if nothing else is there.
func (p Problems) Err() error {
	errs := slices.DeleteFunc(slices.Clone(p), func(one Problem) bool { return one.Warning })
	if len(errs) == 0 {
		return nil
	}
	return errs
}

// sort puts the problems into the order of the file.
func (p Problems) sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// A position is a place in a file; both count from 1.
type position struct{ line, column int }

// source is where a Config was read from.
type source struct {
	file string
	at   map[string]position // by path
}

// place is the position of a path or, where it has none, of what it is in.
func (s source) place(path string) position {
	for {
		if at, ok := s.at[path]; ok {
			return at
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return s.at[""]
		}
		path = path[:i]
	}
}

// problem makes a Problem whose text has the remedy behind its last semicolon.
func (s source) problem(path, text string) Problem {
	at := s.place(path)
	what, remedy := text, ""
	if i := strings.LastIndex(text, "; "); i >= 0 {
		what, remedy = text[:i], text[i+2:]
	}
	return Problem{File: s.file, Line: at.line, Column: at.column, Path: path, What: what, Remedy: remedy}
}
