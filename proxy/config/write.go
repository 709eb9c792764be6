package config

import (
	"bytes"

	"go.yaml.in/yaml/v3"
)

// Write returns c in YAML, which [Parse] reads as the same configuration.
func Write(c *Config) ([]byte, error) {
	var out bytes.Buffer
	e := yaml.NewEncoder(&out)
	e.SetIndent(2)
	if err := e.Encode(c); err != nil {
		return nil, err
	}
	err := e.Close()
	return out.Bytes(), err
}
