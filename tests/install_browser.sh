#!/bin/sh
# The tests open every page in a real browser. Installs Chromium where that can be done unasked.
set -eu
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null 2>&1; then exit 0; fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Chromium is not installed: installing Debian's package, which the tests need."
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    exit 0
fi
echo "The tests need Chromium. Install it and run make test again:" >&2
echo "    sudo apt-get install chromium      (Debian, Ubuntu)" >&2
echo "    brew install --cask chromium       (macOS)" >&2
exit 1
