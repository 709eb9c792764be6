package certs

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long it must be quiet after a change: files of a pair are written one by one.
const settle = 100 * time.Millisecond

// watcher tells that something has changed in the folders of files. Folders, since a file
// that is replaced is another one; a link to a folder is seen by its own folder.
type watcher struct {
	notify  *fsnotify.Watcher
	whole   bool // no folder is left out
	changed chan struct{}
	done    chan struct{}
}

// watch is nil where the system does not tell; then files are looked at now and then.
func watch(files []string) *watcher {
	if len(files) == 0 {
		return nil
	}
	notify, err := fsnotify.NewWatcher()
	if err != nil {
		return nil
	}
	var folders []string
	whole := true
	add := func(file string) {
		if folder := filepath.Dir(file); !slices.Contains(folders, folder) {
			folders = append(folders, folder)
			whole = notify.Add(folder) == nil && whole
		}
	}
	for _, file := range files {
		if file == "" {
			continue
		}
		add(file)
		if real, err := filepath.EvalSymlinks(file); err == nil {
			add(real)
		}
	}
	w := &watcher{notify, whole, make(chan struct{}, 1), make(chan struct{})}
	go w.run()
	return w
}

func (w *watcher) run() {
	defer close(w.done)
	timer := time.NewTimer(0)
	<-timer.C
	waiting := false
	for {
		select {
		case e, ok := <-w.notify.Events:
			switch {
			case !ok:
				timer.Stop()
				return
			case e.Op != fsnotify.Chmod && !waiting:
				waiting = true
				timer.Reset(settle)
			}
		case _, ok := <-w.notify.Errors: // it overran: something has changed
			if ok && !waiting {
				waiting = true
				timer.Reset(settle)
			}
		case <-timer.C:
			waiting = false
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}
	}
}

func (w *watcher) close() {
	w.notify.Close()
	<-w.done
}
