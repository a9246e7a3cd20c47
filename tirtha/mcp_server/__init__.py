"""The memory for agents, by the Model Context Protocol (MCP, https://modelcontextprotocol.io): tools, and sessions as resources.

A thin shell over the operations, as `tirtha.http` is. One server of tools (`server`) stands on a port (`ports.Memory`) with two
adapters: the operations themselves (`over_operations`, for `/mcp`), and the HTTP contract (`over_http`, for `tirtha mcp`).
"""
