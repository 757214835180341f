#!/bin/sh
# Say what the build put there.
cat /greeting
