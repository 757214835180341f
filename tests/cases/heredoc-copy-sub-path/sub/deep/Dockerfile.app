FROM busybox
COPY <<EOF /made
made
EOF
