machine:
  install:
    disk: {{ .Node.Data.installDisk }}
