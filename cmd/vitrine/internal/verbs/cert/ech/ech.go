// Package ech is the verb cert ech.
package ech

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// options are the flags of vitrine cert ech.
type options struct {
	out     string
	with    []string
	longest uint8
	id      uint8
	json    bool
}

// Made is what vitrine cert ech says.
type Made struct {
	// File has the key, for the server.
	File string `json:"file"`
	// PublicName is what everybody sees in place of the names that clients mean.
	PublicName string `json:"public_name"`
	// ConfigList is for clients, in base64.
	ConfigList string `json:"config_list"`
	// Record is the DNS record that publishes it.
	Record string `json:"record"`
}

// New makes the verb.
func New() *cobra.Command {
	o := &options{}
	cmd := &cobra.Command{
		Use:   "ech PUBLIC-NAME",
		Short: "Make a key for Encrypted Client Hello, and the DNS record for it",
		Long: `Make a key for Encrypted Client Hello (RFC 9849), and write it to --out for
vitrine serve --ech-key. The PEM file holds the private key and its ECHCONFIG,
as OpenSSL reads it too (RFC 9934). Then vitrine writes the DNS record that
publishes the config. Put it under each name that clients shall be able to hide,
with that name in place of the first word.

PUBLIC-NAME is what everybody sees in place of those names. The server needs a
certificate for it. It proves by that to a client with an old config that it
speaks for PUBLIC-NAME, and tells it the new config.

To change keys, make one with --with OLD: the record then has both configs, the
new one first. Let the server have both until DNS has forgotten the old record.`,
		Example: `  vitrine cert ech public.example.com --out ech.pem
  vitrine serve --ech-key ech.pem --cert chain.pem
  vitrine cert ech public.example.com --out new.pem --with ech.pem
  vitrine serve --ech-key new.pem --ech-key ech.pem --cert chain.pem`,
		Args: flags.Arguments(1, 1, "vitrine cert ech public.example.com"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&o.out, "out", "ech.pem", "write the key to this `file`, which must not exist")
	set.StringArrayVar(&o.with, "with", nil, "name the config in this `file` in the record too, after the new one")
	set.Uint8Var(&o.longest, "max-name", 64, "pad names up to this many `bytes`, so that their length is hidden")
	set.Uint8Var(&o.id, "id", 0, "the config's `number`, 0 to 255 (default: a random one)")
	set.BoolVar(&o.json, "json", false, "write the result as JSON")
	return cmd
}

func (o *options) run(cmd *cobra.Command, name string) error {
	with := tls.ECHKeyOptions{MaxNameLength: o.longest}
	if cmd.Flags().Changed("id") {
		with.ConfigID = &o.id
	}
	key, err := tls.GenerateECHKey(name, with)
	if err != nil {
		return report.Usagef("%s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	all := []tls.EncryptedClientHelloKey{key}
	for _, file := range o.with {
		text, err := os.ReadFile(file)
		if err != nil {
			return report.Usagef("--with: %v", err)
		}
		old, err := tls.ParseECHKeys(text)
		if err != nil {
			return report.Usagef("--with: %s: %v", file, err)
		}
		all = append(all, old...)
	}
	list, err := tls.ECHConfigList(all...)
	if err != nil {
		return err
	}
	text, err := tls.MarshalECHKey(key)
	if err != nil {
		return err
	}
	if err := create(o.out, text); err != nil {
		return err
	}
	m := Made{File: o.out, PublicName: name, ConfigList: base64.StdEncoding.EncodeToString(list)}
	m.Record = fmt.Sprintf("example.com. HTTPS 1 . ech=%s", m.ConfigList)
	return o.write(cmd, m)
}

// create writes a private key to a file that was not there: one that is overwritten is
// lost, and clients have its config for as long as DNS says.
func create(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if os.IsExist(err) {
		return report.Usagef("--out: %s exists; give another file, as clients may still use the key in it", name)
	}
	if err != nil {
		return report.Unwritable("--out", err)
	}
	if _, err = f.Write(text); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

func (o *options) write(cmd *cobra.Command, m Made) error {
	w := cmd.OutOrStdout()
	if o.json {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(m)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "the key is in %s, for vitrine serve --ech-key; keep it secret\n", m.File)
	_, err := fmt.Fprintf(w, "; publish this under each name to hide; %s needs a certificate\n%s\n", m.PublicName, m.Record)
	return err
}
