// Package folder keeps traces of connections in a folder of bounded size: files that
// strangers can make come into being, and yet cannot fill the disk.
package folder
