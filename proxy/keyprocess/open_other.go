//go:build !unix

package keyprocess

// withoutWaiting is nothing where no file is a pipe.
const withoutWaiting = 0

// keepDescriptors does nothing where programs get no descriptors but those that they are given.
func keepDescriptors() {}
