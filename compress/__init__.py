"""Make smaller: fuse, distil, export. Every lossy step says what it lost."""
