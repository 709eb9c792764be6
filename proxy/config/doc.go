// Package config is the configuration of a proxy as data: what it listens on, where
// connections go, and the rules between. A Config comes from a YAML file, from the
// command line's flags or from a program, and can be written as either.
package config
