package artifact

import (
	"path"
	"path/filepath"
	"strings"
)

// downloadDir is where "hf download --local-dir" keeps its books: for each file
// FILE.metadata with three lines (commit, etag, time), and FILE.<etag>.incomplete
// while it is being fetched.
const downloadDir = ".cache/huggingface/download"

// maxDownloadDepth bounds the walk; it mirrors the folders of a repository.
const maxDownloadDepth = 4

// maxMetadata bounds one metadata file (bytes); real ones have about 130.
const maxMetadata = 4096

// visitDownloads calls visit for each file under the download books, with its
// path relative to d. Folders that cannot be listed are passed over: the books
// are no part of the model.
func visitDownloads(d *folder, visit func(rel string)) {
	if !d.has(".cache") {
		return
	}
	var walk func(rel string, depth int)
	walk = func(rel string, depth int) {
		entries, err := d.fence.readDir(filepath.Join(d.path, rel))
		if err != nil {
			return
		}
		for _, e := range entries {
			switch at := path.Join(rel, e.Name()); {
			case e.IsDir() && depth < maxDownloadDepth:
				walk(at, depth+1)
			case e.Type().IsRegular():
				visit(at)
			}
		}
	}
	walk(downloadDir, 0)
}

// downloadedCommit is the commit that all files of a plain directory were
// downloaded from; empty when unknown or when they disagree.
func downloadedCommit(d *folder) string {
	commits := map[string]bool{}
	visitDownloads(d, func(rel string) {
		if !strings.HasSuffix(rel, ".metadata") {
			return
		}
		data, err := d.fence.read(filepath.Join(d.path, rel), maxMetadata)
		line, _, _ := strings.Cut(string(data), "\n")
		line = strings.TrimSpace(line)
		if err != nil || !isCommit(line) {
			line = "" // one file of unknown origin makes the whole unknown
		}
		commits[line] = true
	})
	if len(commits) != 1 {
		return ""
	}
	for c := range commits {
		return c
	}
	return ""
}

// isCommit tells whether s is a git commit id in lower-case hex.
func isCommit(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}

// unfinishedSuffixes are what download tools append to a file until it is whole.
var unfinishedSuffixes = []string{".incomplete", ".part", ".aria2", ".downloading", ".crdownload", "-partial"}

func isUnfinished(name string) bool {
	return hasAnySuffix(strings.ToLower(name), unfinishedSuffixes...)
}

// unfinished lists unfinished downloads in the folder itself and in the
// bookkeeping of "hf download --local-dir" below it.
func unfinished(d *folder) []string {
	names := d.match(isUnfinished)
	visitDownloads(d, func(rel string) {
		if isUnfinished(rel) {
			names = append(names, rel)
		}
	})
	return names
}
