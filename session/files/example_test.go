package files_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/vitrine-tls/vitrine/session/files"
)

func ExampleOpen() {
	folder, err := os.MkdirTemp("", "sessions")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	store, err := files.Open(folder, files.Options{Budget: 64 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	ctx := context.Background()
	fmt.Println(store.Put(ctx, "key", []byte("blob"), time.Now().Add(time.Hour)))
	blob, err := store.Take(ctx, "key")
	fmt.Printf("%s %v\n", blob, err)
	// Output:
	// <nil>
	// blob <nil>
}
