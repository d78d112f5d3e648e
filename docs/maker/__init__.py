"""What the documentation site is made of besides its texts: pages, figures and numbers."""
