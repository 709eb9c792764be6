// Package catalogue holds the texts of accounts, and of the page that shows them, in other
// languages than English.
//
// There is one data file for each language, zh.json for Simplified Chinese: an object that
// maps an English text to its translation, sorted. In both, {0} and {1} stand for values.
// glossary.json holds the terms of that language, each of which is said in one way only.
//
// Translate and translate.js follow the same rule, in this order:
//
//  1. A text that the catalogue has is replaced.
//  2. A text in quotation marks is data, and stays.
//  3. Parts joined by " · " are translated one by one.
//  4. A text is replaced that is an instance of an entry with placeholders. A value is as
//     short as can be, and is translated in turn. In the translation, {=0} stands for a value
//     that is data and stays, and {#0} for one that must be a number. Entries are tried in
//     the order of the bytes outside their placeholders, the most first. Those without words
//     there, such as "{0}: {1}", come next, and count where all of their values are
//     translated; those with fewer than 8 bytes come last. Neither has empty values. Only
//     where nothing counts, an entry without words does of which some is translated.
//  5. Any other text stays.
package catalogue

import (
	"embed"
	"encoding/json"
	"maps"
	"slices"
	"sync"
)

//go:embed zh.json
var files embed.FS

// Script is translate.js, which defines translator(texts) for a page: it returns a func that
// translates as Translate does.
//
//go:embed translate.js
var Script string

// An Entry is a text, and how it is said in another language.
type Entry struct{ English, Translation string }

// names are the languages that have a file.
var names = []string{"zh"}

// Languages returns the tags of all languages, English first.
func Languages() []string { return append([]string{"en"}, names...) }

// Messages returns the entries of a language, sorted by the English text. English, and a
// language that is not there, have none.
func Messages(lang string) []Entry {
	var out []Entry
	texts := all()[lang]
	for _, english := range slices.Sorted(maps.Keys(texts)) {
		out = append(out, Entry{english, texts[english]})
	}
	return out
}

// all are the texts of each language, by the English ones. A test reads the files, so that
// they can be read.
var all = sync.OnceValue(func() map[string]map[string]string {
	out := map[string]map[string]string{}
	for _, name := range names {
		texts := map[string]string{}
		if data, err := files.ReadFile(name + ".json"); err == nil && json.Unmarshal(data, &texts) == nil {
			out[name] = texts
		}
	}
	return out
})
