package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Bounds of a file, so that none can fill the memory: what aliases repeat counts each time.
const (
	maxFile  = 1 << 20 // bytes
	maxNodes = 100_000
	maxDepth = 20
)

// Parse reads a configuration in YAML. name is what errors call the file. The error is of
// type Problems, and has all that is wrong with the form; what the values mean is for [Check].
func Parse(data []byte, name string) (*Config, error) {
	d := &decoder{source: source{file: name, at: map[string]position{}}}
	if len(data) > maxFile {
		d.wrong("", nil, "the file is longer than 1 MiB; split it")
		return nil, d.problems
	}
	root, err := document(data)
	if err != nil {
		return nil, Problems{syntaxError(name, data, err)}
	}
	c := &Config{}
	d.value(root, "", reflect.ValueOf(c).Elem(), 0)
	if len(d.problems) > 0 {
		d.problems.sort()
		return nil, d.problems
	}
	c.source = d.source
	return c, nil
}

var (
	errEmpty = errors.New("the file is empty; it needs a key listeners")
	errMore  = errors.New("the file has more than one document; leave out what follows the line ---")
)

// document is the one document of a file.
func document(data []byte) (*yaml.Node, error) {
	in := yaml.NewDecoder(bytes.NewReader(data))
	var doc, more yaml.Node
	if err := in.Decode(&doc); err == io.EOF || err == nil && len(doc.Content) == 0 {
		return nil, errEmpty
	} else if err != nil {
		return nil, err
	}
	if err := in.Decode(&more); err == nil {
		return nil, fmt.Errorf("yaml: line %d: %w", more.Line, errMore)
	} else if err != io.EOF {
		return nil, err
	}
	return doc.Content[0], nil
}

// syntax has what to do about errors of the parser, by words in them.
var syntax = []struct{ says, remedy string }{
	{"cannot start any token", "indent with spaces, not tabs, and put quotes around a value that begins with @, ` or %"},
	{"mapping values are not allowed", "begin a new line for each key, and put quotes around a value that has a colon and a space in it"},
	{"unknown anchor", "name it with & before it is used with *"},
	{"unexpected end of stream", "close the quotes or brackets that are open there"},
	{"did not find expected ',' or", "close the brackets that are open there, and put commas between the values"},
	{"did not find expected key", "indent it as the keys beside it"},
	{"could not find expected ':'", "write it as KEY: VALUE, and indent it as the keys beside it"},
	{"did not find expected '-' indicator", "begin each entry of the list with - in the same column"},
	{"control characters", "save the file as plain text in UTF-8"},
	{"UTF-8", "save the file as plain text in UTF-8"},
}

var (
	atLine        = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
)

// find is the first place of words in a file; the first line where they are not.
func find(data []byte, words string) position {
	before, _, ok := bytes.Cut(data, []byte(words))
	if !ok {
		return position{line: 1}
	}
	return position{bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')}
}

// syntaxError says what the parser does not like.
func syntaxError(file string, data []byte, err error) Problem {
	text := err.Error()
	at := position{line: 1}
	if found := atLine.FindStringSubmatch(text); found != nil {
		text = strings.TrimPrefix(text, found[0])
		if found[1] != "" {
			at.line, _ = strconv.Atoi(found[1]) // digits
		}
	}
	if found := unknownAnchor.FindStringSubmatch(text); found != nil { // which has no line
		at = find(data, "*"+found[1])
	}
	p := source{file: file, at: map[string]position{"": at}}.problem("", text)
	if p.Remedy == "" {
		p.What, p.Remedy = "this is not YAML: "+text, "compare it with an example of docs/proxy.md"
		for _, row := range syntax {
			if strings.Contains(text, row.says) {
				p.Remedy = row.remedy
				break
			}
		}
	}
	return p
}

// A decoder turns nodes of YAML into values, and keeps where each was.
type decoder struct {
	source
	problems Problems
	nodes    int
	full     bool // a bound was reached: nothing more is read
}

// maxProblems are reported: behind them a file is likely something else.
const maxProblems = 20

// wrong adds a problem at a node; nil for the file.
func (d *decoder) wrong(path string, n *yaml.Node, text string) {
	if len(d.problems) == maxProblems {
		d.full = true
		return
	}
	p := d.problem(path, text)
	if n != nil {
		p.Line, p.Column = n.Line, n.Column
	}
	d.problems = append(d.problems, p)
}

// enter counts a node and follows an alias; ok is false where a bound is reached.
func (d *decoder) enter(n *yaml.Node, path string, depth int) (node *yaml.Node, ok bool) {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	d.nodes++
	switch {
	case d.full:
		return nil, false
	case d.nodes > maxNodes:
		d.full = true
		d.wrong("", n, "the file amounts to more than 100,000 values, those counted again that an alias repeats; use fewer aliases")
		return nil, false
	case depth > maxDepth:
		d.full = true
		d.wrong(path, n, "values are nested too deep, or one is inside itself; take the alias out")
		return nil, false
	}
	return n, true
}

// value sets v to what n says.
func (d *decoder) value(given *yaml.Node, path string, v reflect.Value, depth int) {
	n, ok := d.enter(given, path, depth)
	if !ok {
		return
	}
	d.at[path] = position{given.Line, given.Column}
	switch {
	case n.Tag == "!!null":
		d.wrong(path, given, "there is no value; give one, or leave the key out")
	case n.Style&yaml.TaggedStyle != 0:
		d.wrong(path, given, "the value has a tag of YAML ("+strconv.Quote(n.Tag)+"); leave it out")
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(given, path, v.Elem(), depth+1)
	case isText(v):
		d.scalar(n, given, path, v)
	case v.Kind() == reflect.Struct:
		d.object(n, given, path, v, depth)
	case v.Kind() == reflect.Map:
		d.table(n, given, path, v, depth)
	case v.Kind() == reflect.Slice:
		d.list(n, given, path, v, depth)
	default:
		d.scalar(n, given, path, v)
	}
}

// list reads a sequence.
func (d *decoder) list(n, given *yaml.Node, path string, v reflect.Value, depth int) {
	if n.Kind != yaml.SequenceNode {
		remedy := "begin each entry with - on a line of its own"
		if n.Kind == yaml.ScalarNode {
			remedy = "write it in brackets, as in [" + strconv.Quote(n.Value) + "]"
		}
		d.wrong(path, given, "this must be a list, and is "+kindOf(n)+"; "+remedy)
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	before := len(d.problems)
	for i, entry := range n.Content {
		d.value(entry, path+"["+strconv.Itoa(i)+"]", v.Index(i), depth+1)
		if len(d.problems) > before && v.Index(i).Kind() == reflect.String {
			return // the others are likely as this one
		}
	}
}

// table reads a mapping whose keys are names that the file makes.
func (d *decoder) table(n, given *yaml.Node, path string, v reflect.Value, depth int) {
	v.Set(reflect.MakeMap(v.Type()))
	for _, p := range d.pairs(n, given, path, depth) {
		one := reflect.New(v.Type().Elem()).Elem()
		d.value(p.value, path+"."+p.key.Value, one, depth+1)
		v.SetMapIndex(reflect.ValueOf(p.key.Value), one)
	}
}

// object reads a mapping whose keys are the fields of a struct.
func (d *decoder) object(n, given *yaml.Node, path string, v reflect.Value, depth int) {
	fields := fieldsOf(v.Type())
	for _, p := range d.pairs(n, given, path, depth) {
		index, ok := fields.index[p.key.Value]
		if !ok {
			d.wrong(join(path, p.key.Value), p.key, strconv.Quote(p.key.Value)+" is not a known key here; "+fields.suggest(p.key.Value))
			continue
		}
		d.value(p.value, join(path, p.key.Value), v.FieldByIndex(index), depth+1)
	}
}

func join(path, key string) string { return strings.TrimPrefix(path+"."+key, ".") }

type pair struct{ key, value *yaml.Node }

// pairs are what a mapping has, and of what it merges (<<) what it has not itself.
func (d *decoder) pairs(n, given *yaml.Node, path string, depth int) []pair {
	if n.Kind != yaml.MappingNode {
		d.wrong(path, given, "this must be keys with values, and is "+kindOf(n)+"; write KEY: VALUE on lines of their own, indented")
		return nil
	}
	var own, merged []pair
	has := map[string]int{} // the line
	for i := 0; i+1 < len(n.Content) && !d.full; i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch line, twice := has[key.Value]; {
		case key.Kind != yaml.ScalarNode:
			d.wrong(path, key, "a key must be a word, and is "+kindOf(key)+"; write KEY: VALUE")
		case key.Tag == "!!merge":
			merged = append(merged, d.merged(value, path, depth+1)...)
		case twice:
			d.wrong(join(path, key.Value), key, "the key is here twice, in line "+strconv.Itoa(line)+" too; leave one out")
		default:
			has[key.Value] = key.Line
			own = append(own, pair{key, value})
		}
	}
	for _, p := range merged {
		if _, ok := has[p.key.Value]; !ok {
			has[p.key.Value] = p.key.Line
			own = append(own, p)
		}
	}
	return own
}

// merged are the pairs of the value of <<.
func (d *decoder) merged(value *yaml.Node, path string, depth int) []pair {
	n, ok := d.enter(value, path, depth)
	if !ok {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return d.pairs(n, value, path, depth)
	}
	var all []pair
	for _, entry := range n.Content {
		all = append(all, d.merged(entry, path, depth+1)...)
	}
	return all
}
